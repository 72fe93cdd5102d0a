// The current request as a curl command.

/**
 * @param {object} request
 * @param {string} request.url  @param {string} request.name of the file
 * @param {object} request.asked `lang`, and optionally `hotwords`, `language_model`, `written`, `spacing`,
 *   `channels`
 * @param {string} request.format a `response_format`  @param {string|null} request.save a file name
 * @param {boolean} request.withKey
 */
export function curlLine({ url, name, asked, format, save, withKey }) {
  const parts = ["curl"];
  // Keeps the key out of shell histories and screenshots.
  if (withKey) parts.push('-H "Authorization: Bearer $STT_API_KEY"');
  parts.push(`-F ${quote(`file=@${formName(name)}`)}`, `-F ${quote(`lang=${asked.lang}`)}`);
  // Unlike -F, takes @, < and ; as they are.
  if (asked.hotwords) parts.push(`--form-string ${quote(`hotwords=${asked.hotwords}`)}`);
  for (const name of ["language_model", "written", "spacing", "channels"]) {
    if (name in asked) parts.push(`-F ${name}=${asked[name]}`);
  }
  parts.push(`-F ${quote(`response_format=${format}`)}`);
  if (save) parts.push(`-o ${quote(save)}`);
  return [...parts, quote(url)].join(" ");
}

/** The command for a job's result; arguments as for `curlLine`. */
export function jobLine({ url, format, save, withKey }) {
  const parts = ["curl"];
  if (withKey) parts.push('-H "Authorization: Bearer $STT_API_KEY"');
  if (save) parts.push(`-o ${quote(save)}`);
  return [...parts, quote(`${url}?response_format=${format}`)].join(" ");
}

/** Quote a file name for curl's -F, where commas and semicolons would end it. */
function formName(name) {
  return /[,;"\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name;
}

/** Quote for a POSIX shell. */
function quote(word) {
  return /^[\p{L}\p{N}@%+=:,./_-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

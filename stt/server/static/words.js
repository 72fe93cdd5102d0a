// Words as text: most scripts have spaces between words, some do not.

/** A word as it follows another: with a space before it, unless the service says otherwise. */
export const continued = ({ word, space_before: space = true }) => (space ? ` ${word}` : word);

/** The text of consecutive words. */
export const joined = (words) => words.map(continued).join("").replace(/^ /, "");

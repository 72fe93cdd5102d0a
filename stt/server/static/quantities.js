// Formats durations and sizes.

/** 75.4 -> "1:15"; hours only if there are any. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(Math.max(0, seconds) + 1e-6);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 77467 -> "77 kB". */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  while (value >= 999.5 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value < 10 && units[0] !== "B" ? value.toFixed(1) : Math.round(value)} ${units[0]}`;
}

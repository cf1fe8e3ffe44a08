// Numbers, sizes and times as people read them. Times are UTC, as everywhere in lakesmith.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 1234567 as 1,234,567. */
const number = (n) => (n == null ? '–' : whole.format(n));

/** 1234567 as 1.2M, for axes. */
const compact = (n) => short.format(n);

/** 1 file, 1,200 files. */
const count = (n, what, many = `${what}s`) => `${number(n)} ${n === 1 ? what : many}`;

/** 512 B, 1.2 kB, 34.0 MB. */
function bytes(n) {
  if (n == null) return '–';
  if (n < 1000) return `${n} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let [value, unit] = [n / 1000, 0];
  while (value >= 999.95 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as 0.12 s, 45 s, 12 min, 3 h, 4 d. */
function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return '–';
  const s = Math.max(0, seconds);
  if (s === 0) return '0 s';
  if (s < 10) return `${s.toFixed(s < 1 ? 2 : 1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

/** Milliseconds since 1970 of an ISO 8601 text; NaN of none. */
const instant = (text) => (text == null ? NaN : Date.parse(text));

/** 2026-11-21 17:20:20 */
const stamp = (at) => (Number.isFinite(at) ? new Date(at).toISOString().slice(0, 19).replace('T', ' ') : '–');

/** 2026-11-21 */
const day = (at) => stamp(at).slice(0, 10);

/** How long before another time: 3 h ago. */
const ago = (at, now) => {
  if (!Number.isFinite(at)) return '–';
  const seconds = Math.round((now - at) / 1000);
  return seconds < 1 ? 'just now' : `${seconds < 60 ? `${seconds} s` : duration(seconds)} ago`;
};

/** Long texts, cut. */
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);


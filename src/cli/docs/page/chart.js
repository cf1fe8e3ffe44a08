// Small charts of our own, in SVG, at the width that there is. The numbers stand in tables beside them; a chart has a
// sentence for those who cannot see it.

const FRAME = { left: 46, right: 10, top: 10, bottom: 22 };

/**
 * A chart over time. `points`: `{ at, value, state }`, in order; `shape`: `steps` (a value holds until the next), `lines`
 * or `bars`; `until`: where the axis ends.
 */
function chart(title, { points, shape = 'steps', format = compact, exact = number, until = docs.now, height = 150 }) {
  const known = points.filter((point) => point.value != null && Number.isFinite(point.at));
  const heading = h('figcaption', null, title);
  if (known.length < 2 && shape !== 'bars') {
    return h('figure', { class: 'chart' }, heading, nothing(known.length === 0 ? 'Nothing is known of this.' : only(known[0], exact)));
  }
  const holder = h('div', { class: 'plot' });
  const tip = h('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
  const sentence = `${title}, ${stamp(known[0]?.at)} to ${stamp(known.at(-1)?.at)} UTC: from ${exact(known[0]?.value)} to `
    + `${exact(known.at(-1)?.value)}, at most ${exact(Math.max(...known.map((point) => point.value)))}`;
  const draw = () => {
    const width = holder.clientWidth;
    if (width < 80) return;
    const scale = scales(known, width, height, until);
    holder.replaceChildren(plot(known, { shape, scale, width, height, format, sentence }), tip);
    holder.onpointermove = (event) => point(event, { holder, tip, known, scale, shape, exact });
    holder.onpointerleave = () => { tip.hidden = true; };
  };
  new ResizeObserver(draw).observe(holder);
  return h('figure', { class: 'chart' }, heading, holder);
}

const only = (point, exact) => `${exact(point.value)} since ${stamp(point.at)} UTC; there is no earlier value.`;

function scales(points, width, height, until) {
  const first = points[0].at;
  const last = Math.max(until, points.at(-1).at, first + 1000);
  const top = nice(Math.max(...points.map((point) => point.value), 0));
  const [w, high] = [width - FRAME.left - FRAME.right, height - FRAME.top - FRAME.bottom];
  return {
    first, last, top,
    x: (at) => FRAME.left + ((at - first) / (last - first)) * w,
    y: (value) => FRAME.top + high - (value / top) * high,
    at: (x) => first + ((x - FRAME.left) / w) * (last - first),
  };
}

/** The next number that is easy to read. */
function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].find((step) => step * power >= value * (1 - 1e-9)) * power;
}

function plot(points, { shape, scale, width, height, format, sentence }) {
  const { x, y, top, last } = scale;
  const lines = [0, top / 2, top].map((value) => [
    s('line', { class: 'rule', x1: FRAME.left, x2: width - FRAME.right, y1: y(value), y2: y(value) }),
    s('text', { class: 'axis', x: FRAME.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, format(value)),
  ]);
  return s('svg', { width, height, role: 'img', 'aria-label': sentence },
    lines, times(scale, width, height),
    shape === 'bars' ? bars(points, scale) : curveOf(points, { x, y, last, shape }));
}

function curveOf(points, { x, y, last, shape }) {
  const corner = (point) => (shape === 'steps' ? `H ${x(point.at)} V ${y(point.value)}` : `L ${x(point.at)} ${y(point.value)}`);
  const line = `M ${x(points[0].at)} ${y(points[0].value)} ${points.slice(1).map(corner).join(' ')}`
    + `${shape === 'steps' ? ` H ${x(last)}` : ''}`;
  const end = shape === 'steps' ? x(last) : x(points.at(-1).at);
  const dots = points.length > 40 ? [] : points.filter((point) => !point.bend)
    .map((point) => s('circle', { class: 'dot', cx: x(point.at), cy: y(point.value), r: 2.5 }));
  return [s('path', { class: 'area', d: `${line} L ${end} ${y(0)} L ${x(points[0].at)} ${y(0)} Z` }),
    s('path', { class: 'line', d: line }), dots];
}

function bars(points, { x, y }) {
  return points.map((point) => s('line', {
    class: `bar ${point.state ?? ''}`, x1: x(point.at), x2: x(point.at), y1: y(0), y2: Math.min(y(point.value), y(0) - 2),
  }));
}

/** The beginning, the end, and what fits between. */
function times({ first, last, x }, width, height) {
  const format = last - first < 36e5 ? (at) => stamp(at).slice(11) : last - first < 1728e5 ? (at) => stamp(at).slice(5, 16) : day;
  const many = Math.max(1, Math.min(4, Math.floor((width - FRAME.left) / 130)));
  return Array.from({ length: many + 1 }, (_, n) => {
    const at = first + ((last - first) * n) / many;
    const anchor = n === 0 ? 'start' : n === many ? 'end' : 'middle';
    return s('text', { class: 'axis', x: x(at), y: height - 6, 'text-anchor': anchor }, format(at));
  });
}

/** Tells the value beneath the pointer. */
function point(event, { holder, tip, known, scale, shape, exact }) {
  const at = scale.at(event.clientX - holder.getBoundingClientRect().left);
  const near = (a, b) => (Math.abs(a.at - at) <= Math.abs(b.at - at) ? a : b);
  const found = shape === 'steps' ? known.findLast((p) => p.at <= at) ?? known[0] : known.reduce(near);
  tip.hidden = false;
  tip.textContent = `${exact(found.value)} · ${stamp(found.at)}${found.note ? ` · ${found.note}` : ''}`;
  const left = Math.min(scale.x(found.at), holder.clientWidth - tip.offsetWidth);
  tip.style.left = `${Math.max(0, left)}px`;
}

/** A bar beside a number, as long as its share of the most. */
function share(value, most) {
  const bar = h('span', { class: 'share', 'aria-hidden': 'true' }, h('span'));
  bar.firstChild.style.width = `${most > 0 ? Math.max(1, (100 * value) / most) : 0}%`;
  return bar;
}


// Elements by hand. Texts become text nodes and never HTML.

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child != null && child !== false) element.append(child);
  }
  return element;
}

/** An element of HTML: h('a', { href: '#' }, 'text', child). */
const h = (name, attributes, ...children) => filled(document.createElement(name), attributes, children);

/** An element of SVG. */
const s = (name, attributes, ...children) =>
  filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);

/** A point in time; how long ago it was when the page was made is what people want, the rest is a hover away. */
const when = (text) => {
  const at = instant(text);
  return h('time', { datetime: text, title: `${stamp(at)} UTC` }, ago(at, docs.now));
};

/** A table whose cells bear the names of their columns, which a phone shows beside them. */
function grid(caption, columns, rows, attributes) {
  const shown = columns.filter((column) => column && rows.some((row) => !isEmpty(column.cell(row))));
  const head = shown.map((column) => h('th', { scope: 'col', class: column.number && 'number' }, column.name));
  const cell = (column, row) => {
    const content = column.cell(row);
    const names = { class: column.number && 'number', 'data-name': column.name, 'data-empty': isEmpty(content) };
    return h(column.header ? 'th' : 'td', { ...names, scope: column.header && 'row' }, h('div', null, content));
  };
  return h('table', { class: 'grid', ...attributes },
    h('caption', { class: 'hidden' }, caption),
    h('thead', null, h('tr', null, head)),
    h('tbody', null, rows.map((row) => h('tr', column0(row), shown.map((column) => cell(column, row))))));
}

const column0 = (row) => (row && row.id ? { id: row.id } : null);
const isEmpty = (content) => content == null || content === '' || (Array.isArray(content) && content.every(isEmpty));

/** The first of many rows, and a button for the others. */
function some(rows, most, draw) {
  if (rows.length <= most) return draw(rows);
  const holder = h('div', null, draw(rows.slice(0, most)));
  const all = () => {
    holder.replaceChildren(draw(rows));
    holder.querySelector('a, button, [tabindex]')?.focus({ preventScroll: true });
  };
  holder.append(h('button', { type: 'button', class: 'more', onclick: all }, `Show all ${number(rows.length)}`));
  return holder;
}

/** So many rows are shown at first. */
const few = () => (window.innerWidth < 600 ? 4 : 10);

/** A name that may be broken where its words end. */
const broken = (name) => name.split(/(?<=[._])/).flatMap((part, at) => (at === 0 ? [part] : [h('wbr'), part]));

/** Sentences of lakesmith, in which names stand between backticks. */
const prose = (text) => text.split('`').map((part, at) => (at % 2 === 1 ? h('code', null, part) : part));

/** A part of a page, with an anchor to link to. */
const section = (id, title, ...content) =>
  h('section', { 'aria-labelledby': `title-${id}`, 'data-section': id },
    h('h2', { id: `title-${id}`, tabindex: '-1' }, title), content);

/** What stands where there is nothing. */
const nothing = (...words) => h('p', { class: 'nothing' }, words);


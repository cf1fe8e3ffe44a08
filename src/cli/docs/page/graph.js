// The lineage graph: tables in columns by layer, drawn as SVG, moved by drag, keys and buttons.

const SMALLEST = 0.08;
const LARGEST = 2;
/** Below this nobody can read names: a large graph begins at its upper left instead. */
const READABLE = 0.8;
const MARGIN = 24;
const HEAD = 34;
/** The bar at the top of the page covers so much. */
const BAR = 56;

/**
 * The graph of some tables. `selected`: the table that the page is about; `traced`: table to the columns of it that are
 * meant; `most`: its height in pixels, at most.
 */
function graph(tables, { selected = null, traced = null, most = 560 } = {}) {
  const names = docs.tables.map((table) => table.table).filter((name) => tables.has(name));
  if (names.length === 0) return nothing('There are no tables.');
  const width = Math.min(260, Math.max(150, 52 + 7.3 * Math.max(...names.map((name) => name.length - name.indexOf('.') - 1))));
  const plan = layout(names, width);
  const nodes = new Map(names.map((name) => [name, node(name, plan.nodes.get(name), width, selected, traced)]));
  const edges = plan.edges.map((edge) => ({ ...edge, path: s('path', { class: 'edge', d: curve(edge.points, width) }) }));
  const heads = plan.columns.filter((column, at) => column.layer !== plan.columns[at - 1]?.layer);
  const titles = heads.map(({ x, layer }) => s('text', { class: `head ${layer}`, x, y: -16 },
    `${layer} · ${names.filter((name) => name.startsWith(`${layer}.`)).length}`));
  const canvas = s('g', null, titles, edges.map((edge) => edge.path), [...nodes.values()]);
  const picture = s('svg', { class: 'graph', role: 'group', 'aria-label': 'Lineage: tables and what they are made from' }, canvas);
  const light = (name) => lightUp(picture, nodes, edges, name, traced);
  for (const [name, element] of nodes) {
    element.addEventListener('pointerenter', () => light(name));
    element.addEventListener('pointerleave', () => light(selected));
    element.addEventListener('focus', () => light(name));
    element.addEventListener('blur', () => light(selected));
  }
  light(selected);
  byKeys(picture, nodes, plan.nodes, selected ?? names[0]);
  return camera(picture, canvas, plan, { selected, most });
}

function node(name, { x, y }, width, selected, traced) {
  const table = tableOf.get(name);
  const { word, sign } = STATES[table.state];
  const columns = traced?.get(name);
  const shown = name.slice(name.indexOf('.') + 1);
  const letters = Math.floor((width - 50) / 7.2);
  const below = columns ? [...columns].join(', ') : summary(table);
  return s('a', {
    class: `node ${table.layer} ${table.state}${name === selected ? ' selected' : ''}${traced && !columns ? ' aside' : ''}`,
    href: `#${name}`, tabindex: '-1', transform: `translate(${x} ${y - BOX.height / 2})`,
    'aria-label': `${name}, ${word}${columns ? `, ${below}` : ''}`, 'aria-current': name === selected ? 'page' : null,
  },
    s('title', null, [name, word, table.description, ...table.reasons].filter(Boolean).join('\n')),
    s('rect', { class: 'box', width, height: BOX.height, rx: 7 }),
    s('rect', { class: 'stripe', width: 5, height: BOX.height - 14, x: 7, y: 7, rx: 2.5 }),
    s('text', { class: 'title', x: 20, y: 19 }, cut(shown, letters)),
    s('text', { class: 'below', x: 20, y: 36 }, cut(below, Math.floor((width - 30) / 6))),
    s('circle', { class: 'state', cx: width - 16, cy: 15, r: 7.5 }),
    s('text', { class: 'sign', x: width - 16, y: 18.5 }, sign));
}

/** What there is to say of a table in a few words. */
function summary(table) {
  if (table.status?.version == null || table.state === 'unreadable') return STATES[table.state].word;
  const changed = ago(instant(table.status.changed_at), docs.now);
  return `${table.status.rows == null ? '' : `${compact(table.status.rows)} rows · `}${changed}`;
}

/** An edge from the right side of its first point through its lanes to the left side of the last. */
function curve(points, width) {
  const bend = BOX.between * 0.5;
  return points.slice(1).reduce((path, to, at) => {
    const from = { x: points[at].x + width, y: points[at].y };
    const lane = at + 2 < points.length ? ` H ${to.x + width}` : '';
    return `${path} C ${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}${lane}`;
  }, `M ${points[0].x + width} ${points[0].y}`);
}

/** Whether columns that are meant of one table are computed from such of another. */
const carries = (traced, from, to) => tableOf.get(to).columns.some((column) => traced.get(to)?.has(column.name)
  && column.from.some(([input, name]) => input === from && traced.get(from)?.has(name)));

/**
 * Shows what a table is made from and what is made from it, as far as the columns that are meant go through it; of no
 * table: all alike.
 */
function lightUp(picture, nodes, edges, name, traced) {
  picture.classList.toggle('lit', name != null);
  if (name == null) return;
  const [up, down] = [above(name), below(name)];
  nodes.forEach((element, other) => {
    const isMeant = traced?.has(other) ?? true;
    element.classList.toggle('near', isMeant && (other === name || up.has(other) || down.has(other)));
  });
  for (const { from, to, path } of edges) {
    const linked = (up.has(from) && (up.has(to) || to === name)) || (down.has(to) && (down.has(from) || from === name));
    const near = linked && (!traced || carries(traced, from, to));
    path.classList.toggle('near', near);
    if (near) path.parentNode.insertBefore(path, nodes.values().next().value);
  }
}

/** One table can be tabbed to; arrows go on from there, so that a large graph is no wall for the keyboard. */
function byKeys(picture, nodes, places, first) {
  const can = (name) => nodes.forEach((element, other) => element.setAttribute('tabindex', other === name ? '0' : '-1'));
  can(nodes.has(first) ? first : nodes.keys().next().value);
  picture.addEventListener('keydown', (event) => {
    const name = [...nodes].find(([, element]) => element === document.activeElement)?.[0];
    const next = name && nearest(name, event.key, places);
    if (!next) return;
    event.preventDefault();
    can(next);
    nodes.get(next).focus({ preventScroll: true });
  });
}

/** The table beside another: above or below in its column, or the one nearest in height of those that it is linked with. */
function nearest(name, key, places) {
  const own = places.get(name);
  const others = [...places].filter(([other]) => other !== name);
  const distance = ([, place]) => Math.abs(place.y - own.y);
  const least = (candidates) => candidates.sort((a, b) => distance(a) - distance(b))[0]?.[0];
  const linked = (list) => others.filter(([other]) => list.includes(other));
  switch (key) {
    case 'ArrowUp': return least(others.filter(([, place]) => place.x === own.x && place.y < own.y));
    case 'ArrowDown': return least(others.filter(([, place]) => place.x === own.x && place.y > own.y));
    case 'ArrowLeft': return least(linked(inputsOf(name)));
    case 'ArrowRight': return least(linked(readersOf.get(name)));
    default: return null;
  }
}

/** A window onto the graph, with the buttons that move it. */
function camera(picture, canvas, plan, { selected, most }) {
  const view = { x: 0, y: 0, scale: 1 };
  let touched = false;
  const draw = () => canvas.setAttribute('transform', `translate(${view.x} ${view.y}) scale(${view.scale})`);
  const room = () => picture.getBoundingClientRect();
  const fit = () => {
    const { width, height } = room();
    const scale = Math.min((width - 2 * MARGIN) / plan.width, (height - 2 * MARGIN - HEAD) / plan.height);
    view.scale = Math.min(1, Math.max(SMALLEST, scale));
    center(width, height);
  };
  const center = (width, height) => {
    view.x = Math.max(MARGIN, (width - plan.width * view.scale) / 2);
    view.y = HEAD + Math.max(MARGIN / 2, (height - HEAD - plan.height * view.scale) / 2);
    draw();
  };
  const begin = () => {
    fit();
    const { width, height } = room();
    if (view.scale >= READABLE) return;
    view.scale = READABLE;
    center(width, height);
    const own = plan.nodes.get(selected);
    if (own) [view.x, view.y] = [width / 2 - (own.x + 90) * view.scale, height / 2 - own.y * view.scale];
    draw();
  };
  const zoom = (factor, at) => {
    const { left, top, width, height } = room();
    const [x, y] = at ? [at.clientX - left, at.clientY - top] : [width / 2, height / 2];
    const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * factor));
    view.x = x - (x - view.x) * (scale / view.scale);
    view.y = y - (y - view.y) * (scale / view.scale);
    view.scale = scale;
    touched = true;
    draw();
  };
  const move = (x, y) => { view.x += x; view.y += y; touched = true; draw(); };
  const button = (label, sign, act) => h('button', { type: 'button', title: label, 'aria-label': label, onclick: act }, sign);
  const figure = h('figure', { class: 'map' }, picture);
  const grow = (full) => {
    figure.classList.toggle('full', full);
    document.body.classList.toggle('still', full);
    larger.setAttribute('aria-pressed', full);
    touched = false;
    begin();
  };
  const larger = button('Fill the window', '⤢', () => grow(!figure.classList.contains('full')));
  figure.append(h('div', { class: 'tools', role: 'group', 'aria-label': 'Graph' },
    button('Larger', '+', () => zoom(1.3)), button('Smaller', '−', () => zoom(1 / 1.3)),
    button('Fit the window', '▣', () => { touched = false; fit(); }), larger));
  figure.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && figure.classList.contains('full')) { grow(false); larger.focus(); }
  });
  figure.leave = () => document.body.classList.remove('still');
  picture.style.height = `${Math.round(Math.min(most, Math.max(150, plan.height + 2 * MARGIN + HEAD)))}px`;
  byHand(picture, { move, zoom, isFull: () => figure.classList.contains('full') });
  picture.addEventListener('focusin', (event) => {
    // a table that the pointer is on must not run away from it
    if (event.target.matches(':focus-visible')) bringIn(event.target, picture, move);
  });
  new ResizeObserver(() => { if (!touched) begin(); }).observe(picture);
  return figure;
}

/** Moves a table that got the focus into the graph's window, and that to where people look: browsers scroll to where the
 * table was. */
function bringIn(element, picture, move) {
  const [own, room] = [element.getBoundingClientRect(), picture.getBoundingClientRect()];
  const by = (low, high, least, most) => (low < least ? least - low + MARGIN : high > most ? most - high - MARGIN : 0);
  const [x, y] = [by(own.left, own.right, room.left, room.right), by(own.top, own.bottom, room.top, room.bottom)];
  if (x !== 0 || y !== 0) move(x, y);
  const { top, bottom } = element.getBoundingClientRect();
  if (top < BAR || bottom > window.innerHeight) element.scrollIntoView({ block: 'center' });
}

/** Drag moves, two fingers or Ctrl and the wheel zoom; the wheel alone scrolls the page unless the graph fills it. */
function byHand(picture, { move, zoom, isFull }) {
  const fingers = new Map();
  let dragged = false;
  picture.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey && !isFull()) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event);
  }, { passive: false });
  picture.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    if (fingers.size === 0) dragged = false;
    fingers.set(event.pointerId, event);
  });
  picture.addEventListener('pointermove', (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    const far = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (other) zoom(far(event, other) / Math.max(1, far(last, other)), event);
    else if (dragged || far(event, last) > 4) move(event.clientX - last.clientX, event.clientY - last.clientY);
    else return;
    if (!dragged) picture.setPointerCapture(event.pointerId);
    dragged = true;
    fingers.set(event.pointerId, event);
  });
  const lift = (event) => fingers.delete(event.pointerId);
  ['pointerup', 'pointercancel'].forEach((name) => picture.addEventListener(name, lift));
  picture.addEventListener('dragstart', (event) => event.preventDefault());
  picture.addEventListener('click', (event) => { if (dragged) event.preventDefault(); dragged = false; }, true);
}


// The first page: how the project is, its graph, all of its tables.

function overview() {
  const all = new Set(tableOf.keys());
  return [
    h('h1', { tabindex: '-1' }, docs.project, ' ', h('span', { class: 'chip' }, docs.environment)),
    h('p', { class: 'lead' }, 'As of ', h('time', { datetime: docs.made_at }, `${stamp(docs.now)} UTC`), age(),
      '. Lake: ', h('code', null, docs.lake)),
    docs.notes.map((note) => h('p', { class: 'callout failed' }, prose(note))),
    docs.lake_exists ? tiles() : h('p', { class: 'callout' }, 'There is no lake yet: ', h('code', null, 'lakesmith run'),
      ' takes in the first files and makes the tables. Until then this page shows how they are defined.'),
    docs.lake_exists && attention(),
    section('lineage', 'Lineage', graph(all, { most: Math.max(320, window.innerHeight * 0.68) }),
      h('p', { class: 'legend' }, Object.entries(STATES).filter(([state]) => docs.tables.some((t) => t.state === state))
        .map(([state]) => badge(state)),
        h('span', { class: 'hint' }, 'Drag to move, Ctrl and the wheel to zoom, arrows to go from table to table.'))),
    section('all', 'Tables', list()),
  ];
}

/** A page that was made long ago tells of a lake that has gone on. */
function age() {
  const days = (Date.now() - docs.now) / 864e5;
  return days < 1 ? '' : h('strong', { class: 'old' }, ` (${duration(days * 86400)} before you opened it)`);
}

function tiles() {
  const sum = (of) => docs.tables.reduce((total, table) => total + (of(table) ?? 0), 0);
  const good = docs.tables.filter((table) => table.state === 'current').length;
  const refused = sum((table) => table.status?.quarantined);
  const layers = LAYERS.map((layer) => [layer, docs.tables.filter((table) => table.layer === layer).length]);
  const tile = (name, value, below, state) => h('div', { class: `tile ${state ?? ''}` },
    h('dt', null, name), h('dd', null, h('strong', null, value), h('span', null, below)));
  const run = runs[0];
  return h('dl', { class: 'tiles' },
    tile('Tables', number(docs.tables.length), layers.filter(([, n]) => n > 0).map(([layer, n]) => `${n} ${layer}`).join(' · ')),
    tile('Up to date', `${number(good)} of ${number(docs.tables.length)}`,
      good === docs.tables.length ? 'nothing is left to do' : `${count(docs.tables.length - good, 'table')} below`,
      good === docs.tables.length ? 'current' : worst()),
    tile('Rows', compact(sum((table) => table.status?.rows)), `${bytes(sum((table) => table.status?.bytes))} in files`),
    tile('Refused rows', compact(refused), 'in quarantine', refused > 0 ? 'stale' : ''),
    run && tile('Last run', ago(run.end, docs.now),
      run.bad ? fared(run) : `${fared(run)} in ${duration(run.seconds)}`, run.bad ? 'failed' : ''));
}

const worst = () => Object.keys(STATES).find((state) => docs.tables.some((table) => table.state === state));

const byState = (a, b) => Object.keys(STATES).indexOf(a.state) - Object.keys(STATES).indexOf(b.state);

function attention() {
  const bad = docs.tables.filter((table) => table.state !== 'current').sort(byState);
  if (bad.length === 0) return null;
  const item = (table) => h('li', { class: table.state },
    h('div', null, badge(table.state), ' ', tableLink(table.table)),
    h('ul', null, table.reasons.map((reason) => h('li', null, prose(reason)))));
  return section('attention', 'What is not up to date, and why',
    some(bad, 8, (tables) => h('ul', { class: 'attention' }, tables.map(item))));
}

/** How the list of tables is sorted; stays while people look around. */
const sorting = { by: null, down: false };

function list() {
  const status = (table) => table.status ?? {};
  const columns = [
    { name: 'Table', key: (t) => t.table, cell: (t) => tableLink(t.table), header: true },
    { name: 'State', key: (t) => Object.keys(STATES).indexOf(t.state), cell: (t) => badge(t.state) },
    { name: 'Rows', key: (t) => status(t).rows ?? -1, cell: (t) => status(t).rows != null && number(status(t).rows), number: true },
    { name: 'Size', key: (t) => status(t).bytes ?? -1, cell: (t) => status(t).bytes != null && bytes(status(t).bytes), number: true },
    { name: 'Changed', key: (t) => -(instant(status(t).changed_at) || 0), cell: (t) => status(t).changed_at && when(status(t).changed_at), number: true },
    { name: 'Refused', key: (t) => status(t).quarantined ?? -1, cell: (t) => (status(t).quarantined > 0 ? number(status(t).quarantined) : ''), number: true },
    { name: 'Owner', key: (t) => t.owner ?? '~', cell: (t) => t.owner ?? '' },
    { name: 'Description', key: (t) => t.description ?? '~', cell: (t) => t.description ?? '' },
  ].map((column) => ({ ...column, cell: (table) => column.cell(table) || '' }));
  const holder = h('div');
  const draw = () => {
    const order = sorting.by && columns.find((column) => column.name === sorting.by);
    const compare = (a, b) => (order.key(a) < order.key(b) ? -1 : order.key(a) > order.key(b) ? 1 : 0) * (sorting.down ? -1 : 1);
    const tables = order ? [...docs.tables].sort(compare) : docs.tables;
    const drawn = grid('All tables', columns, tables, { class: 'grid list' });
    drawn.querySelectorAll('thead th').forEach((head) => sortable(head, draw));
    holder.replaceChildren(drawn);
  };
  draw();
  return holder;
}

function sortable(head, draw) {
  const name = head.textContent;
  const own = sorting.by === name;
  const act = () => {
    [sorting.by, sorting.down] = [name, own && !sorting.down];
    draw();
    [...document.querySelectorAll('.list thead button')].find((button) => button.dataset.by === name)?.focus();
  };
  if (own) head.setAttribute('aria-sort', sorting.down ? 'descending' : 'ascending');
  head.replaceChildren(h('button', { type: 'button', 'data-by': name, onclick: act }, name,
    h('span', { class: 'arrow', 'aria-hidden': 'true' }, own ? (sorting.down ? '▾' : '▴') : '')));
}


// The page of one table.

function tablePage(name, column) {
  const table = tableOf.get(name);
  const sections = [
    lineage(table, column), columnsOf(table, column), definition(table), overTime(table), files(table), quarantine(table),
    versions(table), runsOf(table),
  ].filter(Boolean);
  const jump = (target) => () => {
    history.replaceState(null, '', `#${name}/${target.dataset.section}`);
    reveal(target);
  };
  return [
    h('p', { class: 'crumbs' }, h('a', { href: '#' }, docs.project), ' / ', h('span', null, table.layer)),
    h('h1', { tabindex: '-1', class: `name ${table.layer}` }, broken(name), ' ', badge(table.state)),
    table.description && h('p', { class: 'lead' }, table.description),
    why(table),
    facts(table),
    h('nav', { class: 'jump', 'aria-label': 'On this page' }, sections.map((target) =>
      h('button', { type: 'button', onclick: jump(target) }, target.querySelector('h2').textContent))),
    sections,
  ];
}

function why(table) {
  const run = table.task && table.task.action !== 'none'
    && `A run now would ${{ append: 'append to', merge: 'merge into', rebuild: 'rebuild' }[table.task.action] ?? table.task.action} it`
    + `${table.task.mode ? ` (${table.task.mode})` : ''}: ${table.task.why}.`;
  const lines = [...table.reasons, ...table.remarks, run].filter(Boolean);
  if (lines.length === 0) return null;
  return h('div', { class: `callout ${table.state}`, role: 'note' }, h('ul', null, lines.map((line) => h('li', null, prose(line)))));
}

function facts(table) {
  const status = table.status ?? {};
  const names = (list) => list.map((item, at) => [at > 0 && ', ', h('code', null, item)]);
  const tables = (list) => list.map((item, at) => [at > 0 && ', ', tableLink(item)]);
  const pins = Object.entries(status.pins ?? {});
  const all = [
    ['Owner', table.owner],
    ['Rows', status.rows != null && number(status.rows)],
    ['Size', status.bytes != null && `${bytes(status.bytes)} in ${count(status.files ?? 0, 'file')}`],
    ['Version', status.version != null && number(status.version)],
    ['Changed', status.changed_at && when(status.changed_at)],
    ['Event time', table.event_range && `${table.event_range.map((at) => day(instant(at))).join(' to ')}`],
    ['Files', table.source && h('code', null, table.source)],
    ['Key', table.key.length > 0 && names(table.key)],
    ['Latest by', table.latest_by.length > 0 && names(table.latest_by)],
    ['Partitioned by', table.partition_by.length > 0 && names(table.partition_by)],
    ['Reads', table.inputs.length > 0 && tables(table.inputs.map((input) => input.table))],
    ['Read by', readersOf.get(table.table).length > 0 && tables(readersOf.get(table.table))],
    ['Definition changes', table.on_change === 'forward_only' && 'hold for rows to come only'],
    ['Pins', pins.length > 0 && names(pins.map(([name, version]) => `${name}: ${version}`))],
  ];
  return h('dl', { class: 'facts' }, all.filter(([, value]) => value).map(([name, value]) =>
    h('div', { class: Array.isArray(value) && value.length > 1 && 'long' }, h('dt', null, name), h('dd', null, value))));
}

function lineage(table, column) {
  const traced = column && trace(table.table, column);
  const own = related(table.table);
  let whole = false;
  const holder = h('div');
  const draw = () => {
    holder.replaceChildren(graph(whole ? new Set(tableOf.keys()) : own,
      { selected: table.table, traced, most: whole ? 560 : 380 }));
    button.textContent = whole ? 'Only its lineage' : 'Whole graph';
    button.setAttribute('aria-pressed', whole);
  };
  const button = h('button', { type: 'button', class: 'more above', onclick: () => { whole = !whole; draw(); } });
  draw();
  const read = grid('What it has read', [
    { name: 'Reads', cell: (input) => tableLink(input.table), header: true },
    { name: 'Has read up to', cell: (input) => (input.read == null ? 'nothing yet' : `${input.unit} ${number(input.read)}`) },
    { name: 'Newest', cell: (input) => (input.newest == null ? 'not made yet' : `${input.unit} ${number(input.newest)}`) },
  ], table.inputs);
  return section('lineage', 'Lineage',
    traced && wayOf(table, column), tableOf.size > own.size && button, holder, table.inputs.length > 0 && read);
}

/** The column that the graph follows. */
function wayOf(table, name) {
  const column = table.columns.find((other) => other.name === name);
  const rules = column?.rules.map((rule) => h('span', { class: 'rule' }, rule));
  return h('div', { class: 'callout behind' },
    h('p', null, h('strong', null, h('code', null, name)), ' ', h('code', null, column?.type ?? 'no such column'), ' ', rules),
    column?.description && h('p', null, column.description),
    h('p', { class: 'hint' }, 'Under each table stand its columns that this one is computed from or goes into. ',
      h('a', { href: `#${table.table}` }, 'Follow no column')));
}

function columnsOf(table, selected) {
  const marks = (column) => [
    table.key.includes(column.name) && h('span', { class: 'mark' }, 'key'),
    table.latest_by.includes(column.name) && h('span', { class: 'mark' }, 'latest by'),
    table.event_time === column.name && h('span', { class: 'mark' }, 'event time'),
    table.partition_by.includes(column.name) && h('span', { class: 'mark' }, 'partition'),
    column.only === 'lineage' && h('span', { class: 'mark' }, 'added by lakesmith'),
    column.only === 'definition' && h('span', { class: 'mark stale' }, 'from the next run on'),
    column.only === 'table' && h('span', { class: 'mark stale' }, 'no longer defined'),
  ].filter(Boolean);
  const links = (list) => some(list, 3, (shown) => h('div', { class: 'links' }, shown.map(([t, c]) => columnLink(t, c))));
  const name = (column) => h('a', {
    class: 'name', href: `#${table.table}:${encodeURIComponent(column.name)}`, 'aria-current': column.name === selected ? 'true' : null,
  }, broken(column.name));
  const uses = (column) => usesOf.get(`${table.table}:${column.name}`) ?? [];
  if (table.columns.length === 0) {
    return section('columns', 'Columns', nothing(table.layer === 'bronze'
      ? 'Its columns are those of its files; they are known once a run has taken some in.' : 'Its columns are not known.'));
  }
  const drawn = grid(`Columns of ${table.table}`, [
    { name: 'Column', cell: (column) => [name(column), marks(column)], header: true },
    { name: 'Type', cell: (column) => h('code', null, column.type) },
    { name: 'Description', cell: (column) => column.description ?? '' },
    { name: 'Contract', cell: (column) => column.rules.map((rule) => h('span', { class: 'rule' }, rule)) },
    { name: 'Computed from', cell: (column) => (column.from.length > 0 ? links(column.from) : '') },
    { name: 'Goes into', cell: (column) => (uses(column).length > 0 ? links(uses(column)) : '') },
  ], table.columns);
  [...drawn.tBodies[0].rows].forEach((row, at) => row.classList.toggle('chosen', table.columns[at].name === selected));
  return section('columns', 'Columns', drawn);
}

function definition(table) {
  const file = ({ path, text, cut: isCut }, at) => h('details', { open: at === 0 || null },
    h('summary', null, h('code', null, path)),
    h('pre', { tabindex: '0', role: 'region', 'aria-label': path }, yaml(text)),
    isCut && nothing('Only its beginning is shown.'));
  return section('definition', table.written.length > 1 ? 'Definition and contract' : 'Definition',
    table.written.length > 0 ? table.written.map(file) : nothing('Its file has gone.'));
}

/** YAML with its keys and comments told apart, as text. */
function yaml(text) {
  const line = (written) => {
    const [, indent, key, rest] = written.match(/^([\s-]*)([\w.$-]+:(?=\s|$))?(.*)$/) ?? [null, '', '', written];
    const comment = rest.search(/(^|\s)#/);
    const [value, remark] = comment < 0 ? [rest, ''] : [rest.slice(0, comment), rest.slice(comment)];
    return [indent, key && h('b', null, key), value, remark && h('i', null, remark), '\n'];
  };
  return h('code', null, text.replace(/\n$/, '').split('\n').map(line));
}

function overTime(table) {
  const past = [...table.versions].reverse().map((version) => ({ ...version, when: instant(version.at) }));
  if (past.length === 0) return null;
  const series = (of) => past.map((version) => ({ at: version.when, value: of(version), note: `version ${version.version}` }));
  const lines = docs.runs.filter((line) => line.table === table.table && line.seconds != null).reverse();
  const timings = lines.map((line) => ({
    at: instant(line.started_at), value: line.seconds, state: isFailed(line) ? 'failed' : '', note: line.action,
  }));
  return section('over-time', 'Over time', h('div', { class: 'charts' },
    chart('Rows', { points: series((version) => version.rows) }),
    chart('Size', { points: series((version) => version.bytes), format: (n) => bytes(n).replace('.0 ', ' '), exact: bytes }),
    chart('Age of its newest rows', { points: ages(past), shape: 'lines', format: duration, exact: duration }),
    timings.length > 0 && chart('Seconds of each run', { points: timings, shape: 'bars', format: duration, exact: duration })));
}

/** How long ago the table changed last, at any time: it grows until a version brings rows. */
function ages(past) {
  const changes = past.filter((version) => version.changed).map((version) => version.when);
  const points = changes.flatMap((at, n) => (n === 0 ? [] : [{ at, value: (at - changes[n - 1]) / 1000 }])
    .concat({ at, value: 0, bend: true }));
  return changes.length === 0 ? [] : [...points, { at: docs.now, value: (docs.now - changes.at(-1)) / 1000, note: 'now' }];
}

function files(table) {
  if (!table.files) return null;
  const word = { taken: 'taken in', set_aside: 'set aside', ignored: 'ignored', skipped: 'skipped' };
  const counts = Object.entries(table.files.counts).map(([state, n]) => `${number(n)} ${word[state] ?? state}`).join(', ');
  const draw = (shown) => grid(`Landing files of ${table.table}`, [
    { name: 'File', cell: (file) => h('code', null, file.path), header: true },
    { name: 'State', cell: (file) => h('span', { class: `mark ${file.state === 'set_aside' ? 'failed' : ''}` }, word[file.state] ?? file.state) },
    { name: 'Batch', cell: (file) => file.batch != null && number(file.batch), number: true },
    { name: 'Records', cell: (file) => file.rows != null && number(file.rows), number: true },
    { name: 'Malformed', cell: (file) => file.malformed > 0 && number(file.malformed), number: true },
    { name: 'Size', cell: (file) => bytes(file.bytes), number: true },
    { name: 'Why', cell: (file) => file.reason ?? '' },
  ].map((column) => ({ ...column, cell: (file) => column.cell(file) || '' })), shown);
  const all = Object.values(table.files.counts).reduce((sum, n) => sum + n, 0);
  return section('files', 'Landing files', h('p', null, counts, '.', all > table.files.newest.length && ` The ${number(table.files.newest.length)} newest:`),
    some(table.files.newest, few(), draw));
}

function quarantine(table) {
  const refused = table.quarantine;
  if (!refused) return null;
  if (refused.rows === 0) return section('quarantine', 'Quarantine', nothing('No row is refused.'));
  const most = (list) => Math.max(...list.map((one) => one.rows));
  const counted = (title, name, list, of) => some(list, few(), (shown) => grid(title, [
    { name, cell: of, header: true },
    { name: 'Rows', cell: (one) => [number(one.rows), share(one.rows, most(list))], number: true },
  ], shown));
  const days = refused.by_day.filter((one) => one.of[0]).map((one) => ({ at: instant(one.of[0]), value: one.rows, note: one.of[0] }));
  return section('quarantine', 'Quarantine',
    h('p', null, `${count(refused.rows, 'row')} of its source${refused.rows === 1 ? ' is' : 's are'} refused. To see ${refused.rows === 1 ? 'it' : 'them'}: `,
      h('code', null, `lakesmith quarantine ${table.table}`)),
    h('div', { class: 'halves' },
      counted('Refused rows by reason', 'Reason', refused.by_reason,
        ({ of: [column, rule] }) => [column && [h('code', null, column), ': '], rule ?? 'none is told']),
      counted('Refused rows by file', 'File', refused.by_file, ({ of: [file] }) => h('code', null, file ?? '–'))),
    days.length > 1 && h('div', { class: 'charts' }, chart('Rows refused, by day', { points: days, shape: 'bars' })));
}

function versions(table) {
  if (table.versions.length === 0) return null;
  const remarks = (version) => [
    version.foreign && h('span', { class: 'mark free stale' }, `by another writer${version.engine ? `: ${version.engine}` : ''}`),
    version.current === false && h('span', { class: 'mark' }, 'earlier definition'),
    version.pins.map((pin) => h('span', { class: 'mark free' }, `pinned: ${pin}`)),
  ].filter((mark) => !isEmpty(mark) && mark !== false);
  const draw = (shown) => grid(`Versions of ${table.table}`, [
    { name: 'Version', cell: (version) => number(version.version), number: true, header: true },
    { name: 'When', cell: (version) => when(version.at) },
    { name: 'Action', cell: (version) => version.action },
    { name: 'What became of the rows', cell: (version) => rowWords(version.counts) },
    { name: 'Rows then', cell: (version) => (version.rows == null ? '' : number(version.rows)), number: true },
    { name: 'Size then', cell: (version) => (version.bytes == null ? '' : bytes(version.bytes)), number: true },
    { name: 'Files', cell: (version) => [version.files[0] > 0 && `+${version.files[0]}`, version.files[1] > 0 && ` −${version.files[1]}`].filter(Boolean), number: true },
    { name: 'Run', cell: (version) => (version.run_id ? runLink(version.run_id) : '') },
    { name: 'Remarks', cell: remarks },
  ], shown);
  const oldest = table.versions.at(-1).version;
  return section('versions', 'Versions', some(table.versions, few(), draw),
    oldest > 0 && nothing(`The newest ${number(table.versions.length)}; the page tells of ${number(docs.limits.versions)} at most, `,
      h('code', null, `lakesmith history ${table.table} -n ${table.status.version + 1}`), ' of all that the log has.'));
}


// Runs: all of them, and those of one table.

/** What lines of the history of runs say, whichever columns it has. */
const lineColumns = (first) => [
  first,
  { name: 'Action', cell: (line) => line.action ?? '' },
  { name: 'Status', cell: pill },
  { name: 'Version', cell: (line) => (line.version == null ? '' : number(line.version)), number: true },
  { name: 'Rows', cell: (line) => rowWords(countsOf(line)) },
  { name: 'Written', cell: (line) => (written(line) == null ? '' : bytes(written(line))), number: true },
  { name: 'Memory', cell: (line) => (memory(line) == null ? '' : bytes(memory(line))), number: true },
  { name: 'Took', cell: (line) => (line.seconds == null ? '' : duration(line.seconds)), number: true },
  { name: 'Error', cell: (line) => long(line.error) },
  { name: 'Note', cell: (line) => long(line.note) },
];
function pill(line) {
  if (isSkipped(line)) return h('span', { class: 'mark stale' }, 'skipped');
  if (isAside(line)) return h('span', { class: 'mark failed' }, 'files set aside');
  return h('span', { class: `mark ${isFailed(line) ? 'failed' : isChanged(line) ? 'current' : 'missing'}` }, line.status);
}

/** Sentences that may be long, with paths in them: what does not fit is broken anywhere. */
const long = (text) => (text ? h('div', { class: 'told' }, prose(text)) : '');
const written = (line) => line.bytes_written ?? line.bytes;
const memory = (line) => line.peak_memory_bytes ?? line.peak_memory;

function runsOf(table) {
  const lines = docs.runs.filter((line) => line.table === table.table);
  if (lines.length === 0) return null;
  const columns = lineColumns({ name: 'When', cell: (line) => when(line.started_at), header: true });
  columns.splice(1, 0, { name: 'Run', cell: (line) => runLink(line.run_id) });
  return section('runs', 'Runs', some(lines, few(), (shown) => grid(`Runs of ${table.table}`, columns, shown)));
}

function runsPage(id) {
  const points = [...runs].reverse().map((run) => ({
    at: run.begin, value: run.seconds, state: run.bad ? 'failed' : '', note: fared(run),
  }));
  const wanted = id === '' ? -1 : runs.findIndex((run) => run.id.startsWith(id));
  const begin = Math.max(20, wanted + 1);
  return [
    h('p', { class: 'crumbs' }, h('a', { href: '#' }, docs.project)),
    h('h1', { tabindex: '-1' }, 'Runs'),
    h('p', { class: 'lead' }, runs.length === 0 ? 'No run has changed anything yet.'
      : 'Those that changed a table or failed, the newest first. A run with nothing to do leaves no trace.'),
    points.length > 0 && h('div', { class: 'charts one' }, chart('Seconds of each run', { points, shape: 'bars', format: duration, exact: duration })),
    runs.length > 0 && some(runs, begin, (shown) => h('div', { class: 'runs' }, shown.map((run) => runItem(run, run === runs[wanted])))),
    docs.runs.length >= docs.limits.run_lines && nothing(`Only the newest ${number(docs.limits.run_lines)} lines of the history are told; `,
      h('code', null, "lakesmith query 'SELECT * FROM lakesmith.runs'"), ' has all.'),
  ];
}

function runItem(run, open) {
  const columns = lineColumns({ name: 'Table', cell: (line) => tableLink(line.table), header: true });
  const longest = Math.max(...run.lines.map((line) => line.seconds ?? 0));
  const took = columns.find((column) => column.name === 'Took');
  took.cell = (line) => (line.seconds == null ? '' : [duration(line.seconds), share(line.seconds, longest)]);
  return h('details', { class: `run ${run.bad ? 'failed' : ''}`, open: open || null, 'data-run': run.id },
    h('summary', null,
      badge(run.bad ? 'failed' : 'current').firstChild.cloneNode(true),
      h('span', { class: 'when' }, `${stamp(run.begin)} UTC`),
      run.lines[0].command && h('span', null, run.lines[0].command),
      h('span', null, fared(run)),
      h('span', { class: 'number' }, duration(run.seconds)),
      h('code', null, run.id)),
    grid(`Tables of run ${run.id}`, columns, run.lines));
}


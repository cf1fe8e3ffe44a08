// What the page is about: the JSON that lakesmith has put beside this script, and how its parts hang together.

const docs = JSON.parse(document.getElementById('docs').textContent);
docs.now = instant(docs.made_at);

const LAYERS = ['bronze', 'silver', 'gold'];
/** The worst first; each with a sign, so that colour is not all that tells them apart. */
const STATES = {
  unreadable: { word: 'unreadable', sign: '×' },
  failed: { word: 'failed', sign: '×' },
  held: { word: 'held', sign: '‖' },
  stale: { word: 'stale', sign: '!' },
  missing: { word: 'not made yet', sign: '○' },
  behind: { word: 'behind', sign: '↑' },
  current: { word: 'up to date', sign: '✓' },
};

const tableOf = new Map(docs.tables.map((table) => [table.table, table]));
const readersOf = new Map(docs.tables.map((table) => [table.table, []]));
for (const table of docs.tables) {
  for (const input of table.inputs) readersOf.get(input.table)?.push(table.table);
}
const inputsOf = (name) => tableOf.get(name).inputs.map((input) => input.table).filter((input) => tableOf.has(input));

/** `table.column` of each column that is computed from another: the other way round than `from`. */
const usesOf = new Map();
for (const table of docs.tables) {
  for (const column of table.columns) {
    for (const [input, name] of column.from) {
      const key = `${input}:${name}`;
      if (!usesOf.has(key)) usesOf.set(key, []);
      usesOf.get(key).push([table.table, column.name]);
    }
  }
}

/** All that can be reached from `start` by `next`, without it. */
function reach(start, next) {
  const seen = new Set();
  const todo = [...next(start)];
  while (todo.length > 0) {
    const name = todo.pop();
    if (!seen.has(name)) {
      seen.add(name);
      todo.push(...next(name));
    }
  }
  seen.delete(start);
  return seen;
}

const above = (name) => reach(name, inputsOf);
const below = (name) => reach(name, (table) => readersOf.get(table) ?? []);
const related = (name) => new Set([name, ...above(name), ...below(name)]);

/** Where a column comes from and goes to, to the ends: table to the names of its columns. */
function trace(table, column) {
  const from = ([t, c]) => tableOf.get(t)?.columns.find((other) => other.name === c)?.from ?? [];
  const to = ([t, c]) => usesOf.get(`${t}:${c}`) ?? [];
  const found = new Map([[table, new Set([column])]]);
  for (const next of [from, to]) {
    const seen = new Set();
    const todo = [[table, column]];
    while (todo.length > 0) {
      const place = todo.pop();
      if (seen.has(place.join(':'))) continue;
      seen.add(place.join(':'));
      if (!found.has(place[0])) found.set(place[0], new Set());
      found.get(place[0]).add(place[1]);
      todo.push(...next(place));
    }
  }
  return found;
}

// How a table fared in a run, by the same rules as `lakesmith runs`.
const isSkipped = (line) => line.error?.startsWith('skipped: ') ?? false;
const isFailed = (line) => line.status === 'failed' && !isSkipped(line);
const isAside = (line) => line.status !== 'failed' && line.error != null;
const isChanged = (line) => line.status === 'succeeded';

/** Runs, the newest first, each with its lines. */
const runs = [...docs.runs.reduce((all, line) => {
  if (!all.has(line.run_id)) all.set(line.run_id, { id: line.run_id, lines: [] });
  all.get(line.run_id).lines.push(line);
  return all;
}, new Map()).values()].map((run) => {
  const begin = Math.min(...run.lines.map((line) => instant(line.started_at)));
  const end = Math.max(...run.lines.map((line) => instant(line.finished_at ?? line.started_at)));
  const bad = run.lines.some((line) => line.status === 'failed' || line.error != null);
  return { ...run, begin, end, seconds: (end - begin) / 1000, bad };
});
const runOf = new Map(runs.map((run) => [run.id, run]));

/** What became of the tables of a run: 1 table failed, 2 skipped, 3 changed. */
function fared(run) {
  const kinds = [['failed', isFailed], ['skipped', isSkipped], ['set files aside', isAside], ['changed', isChanged]];
  const counts = kinds.map(([word, is]) => [word, run.lines.filter(is).length]).filter(([, n]) => n > 0);
  return counts.map(([word, n], at) => `${at === 0 ? count(n, 'table') : number(n)} ${word}`).join(', ');
}

/** So much of a run's id is shown, as in the terminal: its time to the millisecond. `lakesmith runs` takes it. */
const shortId = (id) => id.slice(0, 13);

/** A link to a table, with its layer to be seen. */
const tableLink = (name) => (tableOf.has(name)
  ? h('a', { class: `name ${name.split('.')[0]}`, href: `#${name}` }, broken(name))
  : h('span', { class: 'name' }, broken(name)));

/** A link to a column of a table. */
const columnLink = (table, column) => h('a', { class: 'name', href: `#${table}:${encodeURIComponent(column)}` },
  broken(`${table}.${column}`));

const runLink = (id) => (runOf.has(id)
  ? h('a', { class: 'name run-id', href: `#runs/${id}`, title: id }, shortId(id))
  : h('span', { class: 'name run-id', title: id }, shortId(id)));

const badge = (state) => h('span', { class: `badge ${state}` },
  h('span', { class: 'sign', 'aria-hidden': 'true' }, STATES[state].sign), STATES[state].word);

/** The word of a count of rows: 3 inserted, 1 quarantined. */
function rowWords(counts) {
  const words = ['read', 'inserted', 'updated', 'deleted', 'unchanged', 'superseded', 'filtered', 'quarantined'];
  const told = words.filter((word) => counts?.[word] > 0 && word !== 'read');
  return told.map((word) => `${number(counts[word])} ${word}`).join(', ');
}

/** The counts of a line of the history of runs. */
const countsOf = (line) => Object.fromEntries(
  Object.entries(line).filter(([key]) => key.startsWith('rows_')).map(([key, n]) => [key.slice(5), n]));


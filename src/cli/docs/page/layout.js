// Where the tables of the graph stand: each layer is one column or, where its tables read one another, several. Edges
// that pass columns get places of their own there, so that they run between tables and not behind them. The method is
// that of Sugiyama, Tagawa and Toda (1981): few crossings by barycentres, then straight edges.

const BOX = { height: 46, gap: 14, lane: 10, between: 76 };
const SWEEPS = 12;

/** `tables`: names in an order in which each comes after those that it reads. */
function layout(tables, width) {
  const columns = inColumns(tables);
  const { cells, links, chains } = withLanes(tables, columns);
  order(cells, links);
  const y = straight(cells, links);
  const x = (column) => column * (width + BOX.between);
  const place = (cell) => ({ x: x(cell.column), y: y.get(cell) });
  const heights = cells.flat().map((cell) => y.get(cell) + size(cell) / 2);
  return {
    columns: cells.map((column, at) => ({ x: x(at), layer: column.find((cell) => cell.name)?.name.split('.')[0] })),
    nodes: new Map(cells.flat().filter((cell) => cell.name).map((cell) => [cell.name, place(cell)])),
    edges: chains.map(({ from, to, cells: chain }) => ({ from, to, points: chain.map(place) })),
    width: x(cells.length - 1) + width,
    height: Math.max(BOX.height, ...heights),
  };
}

/** The number of each table's column. */
function inColumns(tables) {
  const depth = new Map();
  for (const name of tables) {
    const layer = name.split('.')[0];
    const same = inputsOf(name).filter((input) => depth.has(input) && input.startsWith(`${layer}.`));
    depth.set(name, Math.max(-1, ...same.map((input) => depth.get(input))) + 1);
  }
  const columns = new Map();
  let first = 0;
  for (const layer of LAYERS) {
    const own = tables.filter((name) => name.startsWith(`${layer}.`));
    own.forEach((name) => columns.set(name, first + depth.get(name)));
    first += Math.max(0, ...own.map((name) => depth.get(name) + 1));
  }
  return columns;
}

/** Cells by column, links between neighbouring columns, and the chain of cells of each edge. */
function withLanes(tables, columns) {
  const cells = Array.from({ length: Math.max(...columns.values()) + 1 }, () => []);
  const cellOf = new Map(tables.map((name) => [name, { name, column: columns.get(name) }]));
  cellOf.forEach((cell) => cells[cell.column].push(cell));
  const [links, chains] = [[], []];
  for (const to of tables) {
    for (const from of inputsOf(to).filter((input) => cellOf.has(input))) {
      const chain = [cellOf.get(from)];
      for (let column = columns.get(from) + 1; column < columns.get(to); column += 1) {
        const lane = { column };
        cells[column].push(lane);
        chain.push(lane);
      }
      chain.push(cellOf.get(to));
      chain.slice(1).forEach((cell, at) => links.push([chain[at], cell]));
      chains.push({ from, to, cells: chain });
    }
  }
  return { cells, links, chains };
}

/** Sorts the cells of each column so that few links cross. */
function order(cells, links) {
  const neighbours = (side) => {
    const found = new Map(cells.flat().map((cell) => [cell, []]));
    links.forEach((link) => found.get(link[1 - side]).push(link[side]));
    return found;
  };
  const [before, after] = [neighbours(0), neighbours(1)];
  const number = () => cells.forEach((column) => column.forEach((cell, at) => { cell.at = at; }));
  let best = null;
  for (let sweep = 0; sweep <= SWEEPS; sweep += 1) {
    number();
    const crossings = crossed(cells, links);
    if (best === null || crossings < best.crossings) best = { crossings, cells: cells.map((column) => [...column]) };
    const [near, walk] = sweep % 2 === 0 ? [before, cells] : [after, [...cells].reverse()];
    for (const column of walk) {
      const weight = new Map(column.map((cell) => [cell, mean(near.get(cell).map((other) => other.at), cell.at)]));
      column.sort((a, b) => weight.get(a) - weight.get(b));
      column.forEach((cell, at) => { cell.at = at; });
    }
  }
  best.cells.forEach((column, at) => { cells[at] = column; });
  number();
}

const mean = (numbers, otherwise) => (numbers.length === 0 ? otherwise
  : numbers.reduce((sum, n) => sum + n, 0) / numbers.length);

function crossed(cells, links) {
  return cells.reduce((sum, _, column) => {
    const own = links.filter(([from]) => from.column === column);
    own.sort(([a, b], [c, d]) => a.at - c.at || b.at - d.at);
    let crossings = 0;
    own.forEach(([, to], at) => own.slice(0, at).forEach(([, other]) => { crossings += other.at > to.at; }));
    return sum + crossings;
  }, 0);
}

const size = (cell) => (cell.name ? BOX.height : 0);
const apart = (a, b) => (size(a) + size(b)) / 2 + (a.name && b.name ? BOX.gap : BOX.lane);

/** The height of the middle of each cell: near those that it is linked with, apart from those beside it. */
function straight(cells, links) {
  const y = new Map();
  const linked = new Map(cells.flat().map((cell) => [cell, []]));
  links.forEach(([a, b]) => { linked.get(a).push(b); linked.get(b).push(a); });
  for (const column of cells) {
    column.forEach((cell, at) => y.set(cell, at === 0 ? size(cell) / 2 : y.get(column[at - 1]) + apart(column[at - 1], cell)));
  }
  for (let round = 0; round < 2 * SWEEPS; round += 1) {
    for (const column of round % 2 === 0 ? cells : [...cells].reverse()) {
      const wanted = column.map((cell) => mean(linked.get(cell).map((other) => y.get(other)), y.get(cell)));
      spread(column, wanted).forEach((height, at) => y.set(column[at], height));
    }
  }
  const top = Math.min(...cells.flat().map((cell) => y.get(cell) - size(cell) / 2));
  y.forEach((height, cell) => y.set(cell, height - top));
  return y;
}

/** The heights nearest to those wanted that keep order and distance: isotonic regression, pooling what is too near. */
function spread(column, wanted) {
  let offset = 0;
  const offsets = column.map((cell, at) => { offset += at === 0 ? 0 : apart(column[at - 1], cell); return offset; });
  const pools = [];
  wanted.forEach((height, at) => {
    let pool = { sum: height - offsets[at], n: 1 };
    while (pools.length > 0 && pools.at(-1).sum / pools.at(-1).n > pool.sum / pool.n) {
      const last = pools.pop();
      pool = { sum: last.sum + pool.sum, n: last.n + pool.n };
    }
    pools.push(pool);
  });
  return pools.flatMap((pool) => Array(pool.n).fill(pool.sum / pool.n)).map((height, at) => height + offsets[at]);
}


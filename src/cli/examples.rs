//! The examples that `--help` ends with.

/// `lakesmith --help`
pub const ALL: &str = "\
Examples:
  lakesmith init shop                     write a project of two sources, ready to run
  lakesmith -C shop run                   take in its files, make its tables
  lakesmith -C shop show gold.daily_revenue

Exit codes: 0 done; 1 a table or a file failed; 2 the project or the command is wrong; 3 the guard stopped a table;
130 interrupted (Ctrl-C), 143 terminated.";

/// `lakesmith init --help`
pub const INIT: &str = "\
Examples:
  lakesmith init shop && lakesmith -C shop run";

/// `lakesmith check --help`
pub const CHECK: &str = "\
Examples:
  lakesmith check                         all faults and warnings, each with file, line and hint
  lakesmith check --env prod --json";

/// `lakesmith plan --help`
pub const PLAN: &str = "\
Examples:
  lakesmith plan                          the whole project
  lakesmith plan +gold.daily_revenue      this table and all that it is made from
  lakesmith plan --diff                   how the rows of each table would differ";

/// `lakesmith run --help`
pub const RUN: &str = "\
Examples:
  lakesmith run                           everything; running again finishes what was left
  lakesmith run bronze                    only take in files
  lakesmith run bronze.orders+ --json     one source and what is made from it, for a script
  lakesmith run --memory 2GB              with no more memory than that; default: half of the machine's
  lakesmith run --from 2020-01-01 --to 2026-11-01 --chunk 1mo
                                          the first load of a long history, a commit a month

Exit code 1: a table failed or a file is set aside; the others are done all the same.";

/// `lakesmith rebuild --help`
pub const REBUILD: &str = "\
Examples:
  lakesmith rebuild silver.orders+ --dry-run
                                          how the tables would differ; publishes nothing
  lakesmith rebuild silver.orders+        asks first; the table and what is made from it
  lakesmith rebuild gold --yes            does not ask
  lakesmith rebuild silver.orders --from bronze.orders@12    from bronze as it was";

/// `lakesmith backfill --help`
pub const BACKFILL: &str = "\
Examples:
  lakesmith backfill silver.orders --from 2026-10-01 --to 2026-11-01
  lakesmith backfill silver.orders+ --from 2020-01-01 --to 2026-11-01 --chunk 1mo --yes

Running it again after an interruption does the chunks that are left.";

/// `lakesmith optimize --help`
pub const OPTIMIZE: &str = "\
Examples:
  lakesmith optimize                      every table; a second time does nothing
  lakesmith optimize silver.orders --z-order customer_id,ordered_at

No row changes, so nothing below is computed anew and nobody is asked.";

/// `lakesmith restore --help`
pub const RESTORE: &str = "\
Examples:
  lakesmith restore silver.orders@3                        asks first; the next run does again what came after
  lakesmith restore silver.orders@2026-11-01T00:00:00Z+    the table as it was then, and what is made from it
  lakesmith restore silver.orders@3 --hold --yes           runs leave it there …
  lakesmith restore silver.orders --release                … until now

Bronze does not go back: lakesmith rebuild silver.orders+ --from bronze.orders@12";

/// `lakesmith status --help`
pub const STATUS: &str = "\
Examples:
  lakesmith status
  lakesmith status silver gold --json";

/// `lakesmith history --help`
pub const HISTORY: &str = "\
Examples:
  lakesmith history silver.orders
  lakesmith history gold.daily_revenue -n 5 --json";

/// `lakesmith runs --help`
pub const RUNS: &str = "\
Examples:
  lakesmith runs                          the last 20, the newest first
  lakesmith runs 0199f3c2-7a1b            all about one; the beginning of its id is enough
  lakesmith runs --failed --since 7d      what went wrong in the last seven days
  lakesmith runs --table silver.orders -n 100 --json

For other questions: lakesmith query 'SELECT \"table\", avg(seconds) FROM lakesmith.runs GROUP BY \"table\"'";

/// `lakesmith files --help`
pub const FILES: &str = "\
Examples:
  lakesmith files bronze.orders
  lakesmith files --state set_aside       those that want somebody's attention
  lakesmith files --ignore orders/broken.csv";

/// `lakesmith show --help`
pub const SHOW: &str = "\
Examples:
  lakesmith show gold.daily_revenue
  lakesmith show silver.orders@3 -n 100 --format csv
  lakesmith show silver.orders@2026-11-01T00:00:00Z

For an order, ask: lakesmith query 'SELECT * FROM silver.orders ORDER BY order_id LIMIT 20'";

/// `lakesmith diff --help`
pub const DIFF: &str = "\
Examples:
  lakesmith diff silver.orders@3          what came since version 3
  lakesmith diff silver.orders@3 @5       between two versions
  lakesmith diff gold.daily_revenue@2026-11-01T00:00:00Z --totals
  lakesmith diff silver.orders --env prod dev
  lakesmith diff quarantine.orders@3

Without a version and a second argument: the last commit. Exit code 0, whether or not there is a difference.";

/// `lakesmith query --help`
pub const QUERY: &str = "\
Examples:
  lakesmith query 'SELECT region, sum(revenue) FROM gold.daily_revenue GROUP BY region'
  lakesmith query 'SELECT count(*) FROM silver.\"orders@0\"'
  lakesmith query 'SELECT * FROM lakesmith.runs ORDER BY started_at DESC LIMIT 5'
  lakesmith query 'SELECT path, reason FROM lakesmith.ledger' --format csv";

/// `lakesmith docs --help`
pub const DOCS: &str = "\
Examples:
  lakesmith docs                          writes site/index.html: one file, to be opened, mailed or put on any web server
  lakesmith docs --out /srv/www/shop
  lakesmith docs --serve                  http://127.0.0.1:4747/, made anew at each reload

The page needs no network. It holds names, definitions, counts and times, and no row of any table.";

/// `lakesmith quarantine --help`
pub const QUARANTINE: &str = "\
Examples:
  lakesmith quarantine silver.orders
  lakesmith quarantine silver.orders -n 1000 --format json";

/// `lakesmith verify --help`
pub const VERIFY: &str = "\
Examples:
  lakesmith verify                        every table is computed anew and compared
  lakesmith verify +gold.daily_revenue    this table and all that it is made from
  lakesmith verify --deep --json          data files against their hashes, bronze against the landing files

Exit code 1: a table is different, damaged or cannot be read. What can only not be proved is said, and the code is 0.";

/// `lakesmith repair --help`
pub const REPAIR: &str = "\
Examples:
  lakesmith repair silver.orders --dry-run   what is wrong with its log, and what would be done
  lakesmith repair bronze.orders             asks before a commit is taken back
  lakesmith repair lakesmith.ledger --yes

What is put aside is kept in the lake, under _lakesmith/aside. Data files are never touched: `lakesmith verify --deep`
finds those that are damaged, and `lakesmith rebuild` makes a silver or gold table anew.";

/// `lakesmith pin --help`
pub const PIN: &str = "\
Examples:
  lakesmith pin silver.orders@12 --as before-vat-fix
  lakesmith show silver.orders@before-vat-fix
  lakesmith pin                           all pins

Pins bind lakesmith's vacuum alone: that of Spark or delta-rs does not know them.";

/// `lakesmith unpin --help`
pub const UNPIN: &str = "\
Examples:
  lakesmith unpin silver.orders before-vat-fix";

/// `lakesmith vacuum --help`
pub const VACUUM: &str = "\
Examples:
  lakesmith vacuum --dry-run              what would go, of all tables
  lakesmith vacuum silver --retain 90d    asks first
  lakesmith vacuum --yes --json           does not ask; for a script";

/// `lakesmith completions --help`
pub const COMPLETIONS: &str = "\
Examples:
  lakesmith completions bash > ~/.local/share/bash-completion/completions/lakesmith
  lakesmith completions zsh > ~/.zfunc/_lakesmith       with fpath+=~/.zfunc before compinit in ~/.zshrc
  lakesmith completions fish > ~/.config/fish/completions/lakesmith.fish";

/// `lakesmith man --help`
pub const MAN: &str = "\
Examples:
  lakesmith man | man -l -
  lakesmith man --out ~/.local/share/man/man1";

//! The only place that names deltalake or arrow: open, scan, write, commit, diff, merge, query.

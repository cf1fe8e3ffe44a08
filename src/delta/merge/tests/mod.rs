mod bounds;
mod model;
mod oracle;
mod rows;
mod tables;

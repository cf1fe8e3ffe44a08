mod bounds;
mod model;
mod oracle;
mod rows;
mod standing;
mod tables;

mod model;
mod rows;

//! Writes TPC-H lineitem as three CSV files: the first nine tenths of the rows, the last tenth, and a correction of
//! every hundredth row, scattered over the whole.
//!
//! `lineitem DIR SCALE`

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

/// Every so many rows, one is corrected.
const CORRECTED: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, scale] = arguments.as_slice() else { return Err("usage: lineitem DIR SCALE".into()) };
    let (folder, scale) = (Path::new(folder), scale.parse()?);
    let rows = LineItemGenerator::new(scale, 1, 1).iter().count();
    let first = rows * 9 / 10;
    let mut files = [csv(folder, "first.csv")?, csv(folder, "rest.csv")?, csv(folder, "corrections.csv")?];
    for (number, mut row) in LineItemGenerator::new(scale, 1, 1).iter().enumerate() {
        writeln!(files[usize::from(number >= first)], "{}", LineItemCsv::new(row.clone()))?;
        if number % CORRECTED == 0 {
            row.l_quantity += 1;
            row.l_comment = "corrected";
            writeln!(files[2], "{}", LineItemCsv::new(row))?;
        }
    }
    files.iter_mut().try_for_each(|file| file.flush())?;
    println!("{} {} {}", first, rows - first, rows.div_ceil(CORRECTED));
    Ok(())
}

fn csv(folder: &Path, name: &str) -> std::io::Result<BufWriter<File>> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(folder.join(name))?);
    writeln!(file, "{}", LineItemCsv::header())?;
    Ok(file)
}

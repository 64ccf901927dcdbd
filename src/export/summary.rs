//! A table of words and of means with deviations, as Markdown for people and as CSV for programs.

use super::ExportError;

/// What stands in a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing: the column does not apply, or the value is not there.
    Empty,
    /// Words or a number as it was chosen.
    Text(String),
    /// A measured number.
    Number(f64, Digits),
    /// Mean and standard deviation of so many numbers.
    Spread {
        /// Their mean.
        mean: f64,
        /// Their standard deviation; told where there are two or more.
        deviation: f64,
        /// How many.
        count: usize,
        /// How people read them.
        digits: Digits,
    },
}

/// Digits behind the point where people read.
pub type Digits = usize;

/// A table; all rows are as long as the header.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Fields, row by row.
    pub rows: Vec<Vec<Cell>>,
}

impl Summary {
    /// As `mean ± deviation`, with a minus sign that is no hyphen.
    #[must_use]
    pub fn markdown(&self) -> String {
        let is_numeric = |column: usize| {
            let is_number = |row: &Vec<Cell>| !matches!(row.get(column), Some(Cell::Text(_)));
            self.rows.iter().all(is_number)
        };
        let rule =
            (0..self.header.len()).map(|c| if is_numeric(c) { "---:" } else { "---" }.to_owned());
        let line = |fields: Vec<String>| format!("| {} |\n", fields.join(" | "));
        let mut text = line(self.header.iter().map(|name| escaped(name)).collect());
        text.push_str(&line(rule.collect()));
        for row in &self.rows {
            text.push_str(&line(row.iter().map(shown).collect()));
        }
        text
    }

    /// All digits; a column with deviations becomes two, the second one named `… sd`.
    ///
    /// # Errors
    /// [`ExportError::Encoding`] if a row is not as long as the header.
    pub fn csv(&self) -> Result<String, ExportError> {
        let encoding = |error: &dyn std::fmt::Display| ExportError::Encoding {
            what: "table",
            reason: error.to_string(),
        };
        let has_deviation = |column: usize| {
            self.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Spread { .. })))
        };
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let mut header = Vec::new();
        for (column, name) in self.header.iter().enumerate() {
            header.push(name.clone());
            if has_deviation(column) {
                header.push(format!("{name} sd"));
            }
        }
        writer.write_record(&header).map_err(|error| encoding(&error))?;
        for row in &self.rows {
            let mut fields = Vec::new();
            for (column, cell) in row.iter().enumerate() {
                let (value, deviation) = exact(cell);
                fields.push(value);
                if has_deviation(column) {
                    fields.push(deviation);
                }
            }
            writer.write_record(&fields).map_err(|error| encoding(&error))?;
        }
        let bytes = writer.into_inner().map_err(|error| encoding(&error))?;
        String::from_utf8(bytes).map_err(|error| encoding(&error))
    }
}

/// A word that does not end its field.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn shown(cell: &Cell) -> String {
    match *cell {
        Cell::Empty => String::new(),
        Cell::Text(ref text) => escaped(text),
        Cell::Number(value, digits) => format!("{value:.digits$}").replace('-', "−"),
        Cell::Spread { mean, count: 0 | 1, digits, .. } => shown(&Cell::Number(mean, digits)),
        Cell::Spread { mean, deviation, digits, .. } => {
            format!("{} ± {deviation:.digits$}", shown(&Cell::Number(mean, digits)))
        }
    }
}

fn exact(cell: &Cell) -> (String, String) {
    match cell {
        Cell::Empty => Default::default(),
        Cell::Text(text) => (text.clone(), String::new()),
        Cell::Number(value, _) => (value.to_string(), String::new()),
        Cell::Spread { mean, count, .. } if *count < 2 => (mean.to_string(), String::new()),
        Cell::Spread { mean, deviation, .. } => (mean.to_string(), deviation.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_read_the_same_table() {
        let spread = |mean, deviation, count| Cell::Spread { mean, deviation, count, digits: 4 };
        let text = |text: &str| Cell::Text(text.to_owned());
        let summary = Summary {
            header: ["algorithm", "LL", "runs", "remarks"].map(str::to_owned).to_vec(),
            rows: vec![
                vec![text("em"), spread(-1.0 / 3.0, 0.125, 10), Cell::Number(10.0, 0), Cell::Empty],
                vec![text("a|b"), spread(-2.5, 0.0, 1), Cell::Number(1.0, 0), text("x, \"y\"\nz")],
                vec![text("nll"), Cell::Empty, Cell::Empty, Cell::Empty],
            ],
        };
        let expected = "| algorithm | LL | runs | remarks |\n| --- | ---: | ---: | --- |\n\
                        | em | −0.3333 ± 0.1250 | 10 |  |\n| a\\|b | −2.5000 | 1 | x, \"y\" z |\n\
                        | nll |  |  |  |\n";
        assert_eq!(summary.markdown(), expected);
        let csv = summary.csv().unwrap();
        assert!(
            csv.starts_with("algorithm,LL,LL sd,runs,remarks\nem,-0.3333333333333333,0.125,10,\n")
        );
        let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&rows[1][4], "x, \"y\"\nz");
        assert_eq!((&rows[1][1], &rows[1][2]), ("-2.5", ""));
        let uneven = Summary { rows: vec![Vec::new()], ..summary };
        assert!(uneven.csv().is_err());
    }
}

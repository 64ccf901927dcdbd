//! `scorescope bench`: milliseconds a step on this machine, for every algorithm, and what a step is made of.

use std::fmt::Write;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;

use super::timing::{ROUNDS, Times};
use super::{BenchArguments, print, reading};
use crate::algorithms::{ALGORITHMS, AlgorithmInfo};
use crate::data::Dataset;
use crate::objectives::kernel::{LEAST_WORK_PAIRS, least_work};
use crate::training::workload::{Workload, half_moons, workload_data};
use crate::training::{Experiment, History};

/// Plain tensors keep dozens of N × K numbers: with more points they are not measured.
const PLAIN_POINTS_AT_MOST: usize = 10_000;

/// What was measured of an algorithm; null where there is nothing.
#[derive(Debug, Clone, Serialize)]
struct Row {
    algorithm: &'static str,
    k: Option<usize>,
    n: Option<usize>,
    threads: usize,
    /// Median of a whole step: kernel, burn's tensors and operation, optimizer, bookkeeping and history.
    ms_per_step: Option<f64>,
    /// The shortest of the same.
    ms_min: Option<f64>,
    /// Median of the fused kernel alone.
    kernel_ms: Option<f64>,
    /// Median of value and gradient as plain burn tensors, which compute on one thread.
    plain_burn_ms: Option<f64>,
    /// Nanoseconds of a whole step for each pair of a point and a component.
    ns_per_pair: Option<f64>,
    /// The objective at the start, in which programs that are compared have to agree.
    objective: Option<f64>,
}

/// Measures and prints.
pub(super) fn bench(arguments: &BenchArguments) -> anyhow::Result<()> {
    let pools = pools(&arguments.threads)?;
    let algorithms = algorithms(&arguments.algorithm)?;
    let settings = settings(&arguments.settings, &algorithms)?;
    let mut groups = Vec::new();
    for dataset in datasets(arguments)? {
        for component_count in &arguments.component_counts {
            let workload = Workload::new(dataset.clone(), component_count.get())?;
            groups.push(group(&workload, &algorithms, &settings, &pools)?);
        }
    }
    let turns: usize = groups.iter().map(Vec::len).sum();
    let bar = ProgressBar::new((turns * ROUNDS) as u64).with_style(
        ProgressStyle::with_template("{bar:30} turn {pos} of {len}  {msg}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let show = |text: &str| bar.suspend(|| print(text));
    if !arguments.json {
        show(HEADER)?;
    }
    for group in &mut groups {
        let rows = measure(group, &bar)?;
        show(&if arguments.json { json(&rows)? } else { table(&rows) })?;
    }
    // Of the window only where everything is measured.
    #[cfg(feature = "gui")]
    if arguments.algorithm.is_empty() && arguments.data.is_none() {
        for point_count in &arguments.point_counts {
            bar.set_message(format!("frames with {point_count} points"));
            let rows = frames(point_count.get())?;
            show(&if arguments.json { json(&rows)? } else { frame_lines(&rows) })?;
        }
    }
    let floor = floor();
    bar.finish_and_clear();
    print(&if arguments.json { json(&[floor])? } else { footer(&floor) })
}

/// What a frame costs the window's thread, at rest and while the view moves, the best of many: layout and tessellation.
#[cfg(feature = "gui")]
fn frames(point_count: usize) -> anyhow::Result<[Row; 2]> {
    let [at_rest, moving] = crate::app::frame_cost(point_count)?;
    let row = |name, cost: crate::app::FrameCost| Row {
        algorithm: name,
        k: Some(crate::app::FRAME_COMPONENTS),
        n: Some(point_count),
        threads: 1,
        ms_per_step: Some(cost.total_ms()),
        ms_min: Some(cost.total_ms()),
        kernel_ms: None,
        plain_burn_ms: None,
        ns_per_pair: None,
        objective: None,
    };
    Ok([row("frame_at_rest", at_rest), row("frame_moving", moving)])
}

#[cfg(feature = "gui")]
fn frame_lines(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let what = if row.algorithm == "frame_moving" { "moving" } else { "at rest" };
        let _ = writeln!(
            text,
            "A frame of the window with {} points, {what}: {} ms",
            row.n.unwrap_or_default(),
            number(row.ms_per_step)
        );
    }
    text
}

/// One algorithm on some points, with some components and threads.
struct Cell {
    info: &'static AlgorithmInfo,
    workload: Workload,
    pool: Arc<ThreadPool>,
    step: Times,
    kernel: Times,
    plain: Times,
    objective: f64,
}

/// The cells that are compared: every algorithm on every pool.
fn group(
    workload: &Workload,
    algorithms: &[&'static AlgorithmInfo],
    settings: &[(String, String)],
    pools: &[Arc<ThreadPool>],
) -> anyhow::Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for pool in pools {
        for &info in algorithms {
            let has = |(key, _): &&(String, String)| info.settings.iter().any(|s| s.key == key);
            let own: Vec<_> = settings.iter().filter(has).cloned().collect();
            cells.push(Cell {
                info,
                workload: workload.of_algorithm(info.id, &own)?,
                pool: pool.clone(),
                step: Times::default(),
                kernel: Times::default(),
                plain: Times::default(),
                objective: f64::NAN,
            });
        }
    }
    Ok(cells)
}

fn measure(group: &mut [Cell], bar: &ProgressBar) -> anyhow::Result<Vec<Row>> {
    for _ in 0..ROUNDS {
        for cell in &mut *group {
            let what = cell.name();
            bar.set_message(what.clone());
            cell.take_turns().context(what)?;
            bar.inc(1);
        }
    }
    Ok(group.iter().map(Cell::row).collect())
}

impl Cell {
    /// A turn of steps from the start, one of the kernel, and one of plain tensors.
    fn take_turns(&mut self) -> anyhow::Result<()> {
        let Cell { workload, pool, step, kernel, plain, objective, .. } = self;
        pool.install(|| {
            // To evaluate the start also warms the caches.
            let mut run = workload.run()?;
            let mut history = History::default();
            *objective = run.record().objective;
            history.push(run.record());
            step.take_turn(|| run.step().map(|record| history.push(record)))?;
            let mut evaluate = workload.kernel();
            kernel.take_turn(|| {
                black_box(evaluate());
                anyhow::Ok(())
            })?;
            if workload.point_count() > PLAIN_POINTS_AT_MOST {
                return Ok(());
            }
            let Some(mut evaluate) = workload.plain_tensors() else { return Ok(()) };
            plain.take_turn(|| {
                black_box(evaluate());
                Ok(())
            })
        })
    }

    fn name(&self) -> String {
        let (k, n) = (self.workload.component_count(), self.workload.point_count());
        let threads = self.pool.current_num_threads();
        format!("{}, K = {k}, N = {n}, {threads} threads", self.info.id)
    }

    fn row(&self) -> Row {
        let (k, n) = (self.workload.component_count(), self.workload.point_count());
        Row {
            algorithm: self.info.id,
            k: Some(k),
            n: Some(n),
            threads: self.pool.current_num_threads(),
            ms_per_step: self.step.median(),
            ms_min: self.step.min(),
            kernel_ms: self.kernel.median(),
            plain_burn_ms: self.plain.median(),
            ns_per_pair: self.step.median().map(|ms| 1e6 * ms / (k * n) as f64),
            objective: Some(self.objective),
        }
    }
}

/// The least that a pair can cost, on one thread.
fn floor() -> Row {
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let turn: Result<(), std::convert::Infallible> = times.take_turn(|| {
            black_box(least_work(black_box(1.5)));
            Ok(())
        });
        // Nothing in it can fail.
        let Ok(()) = turn;
    }
    Row {
        algorithm: "floor",
        k: None,
        n: None,
        threads: 1,
        ms_per_step: None,
        ms_min: None,
        kernel_ms: None,
        plain_burn_ms: None,
        ns_per_pair: times.median().map(|ms| 1e6 * ms / LEAST_WORK_PAIRS as f64),
        objective: None,
    }
}

fn pools(threads: &[NonZeroUsize]) -> anyhow::Result<Vec<Arc<ThreadPool>>> {
    let mut counts: Vec<usize> = threads.iter().map(|count| count.get()).collect();
    if counts.is_empty() {
        counts = vec![1, available_parallelism().map_or(1, NonZeroUsize::get)];
    }
    let mut seen = std::collections::BTreeSet::new();
    counts.retain(|&count| seen.insert(count));
    let pool = |count| Ok(Arc::new(ThreadPoolBuilder::new().num_threads(count).build()?));
    counts.into_iter().map(pool).collect()
}

fn algorithms(ids: &[String]) -> anyhow::Result<Vec<&'static AlgorithmInfo>> {
    if ids.is_empty() {
        return Ok(ALGORITHMS.iter().collect());
    }
    let find = |id: &String| {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        experiment.check()?;
        Ok(experiment.algorithm_info())
    };
    ids.iter().map(find).collect()
}

/// Keys and values; every key is one that an algorithm has.
fn settings(
    texts: &[String],
    algorithms: &[&AlgorithmInfo],
) -> anyhow::Result<Vec<(String, String)>> {
    let parse = |text: &String| {
        let Some((key, value)) = text.split_once('=') else {
            bail!("--set {text}: write it as KEY=VALUE, for instance --set n_slices=4");
        };
        let key = key.trim();
        let known = || algorithms.iter().flat_map(|info| &info.settings).map(|setting| setting.key);
        if !known().any(|known| known == key) {
            let mut known: Vec<_> = known().collect();
            known.sort_unstable();
            known.dedup();
            bail!("no algorithm has a setting \"{key}\"; these exist: {}", known.join(", "));
        }
        Ok((key.to_owned(), value.to_owned()))
    };
    texts.iter().map(parse).collect()
}

fn datasets(arguments: &BenchArguments) -> anyhow::Result<Vec<Arc<Dataset>>> {
    if let Some(path) = &arguments.data {
        return Ok(vec![workload_data(&reading::read(path, None)?.points)?]);
    }
    arguments.point_counts.iter().map(|count| Ok(half_moons(count.get())?)).collect()
}

/// One object a line.
fn json(rows: &[Row]) -> anyhow::Result<String> {
    let mut text = String::new();
    for row in rows {
        writeln!(text, "{}", serde_json::to_string(row)?)?;
    }
    Ok(text)
}

const HEADER: &str = "   K        N  threads  algorithm   step ms  kernel ms  step/kernel  ns/pair  step/NLL  \
                      plain ms  plain/step  speed-up\n";

/// Rows of one K and N.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let of = |algorithm: &str, threads: usize| {
            let is_it = |row: &&Row| row.algorithm == algorithm && row.threads == threads;
            rows.iter().find(is_it).and_then(|row| row.ms_per_step)
        };
        let is_first = row.threads == rows[0].threads;
        let alone = if is_first { None } else { of(row.algorithm, rows[0].threads) };
        let _ = writeln!(
            text,
            "{:>4} {:>8}  {:>7}  {:<9} {:>9}  {:>9}  {:>11}  {:>7}  {:>8}  {:>8}  {:>10}  {:>8}",
            row.k.unwrap_or_default(),
            row.n.unwrap_or_default(),
            row.threads,
            row.algorithm,
            number(row.ms_per_step),
            number(row.kernel_ms),
            number(ratio(row.ms_per_step, row.kernel_ms)),
            number(row.ns_per_pair),
            number(ratio(row.ms_per_step, of("nll", row.threads))),
            number(row.plain_burn_ms),
            number(ratio(row.plain_burn_ms, row.ms_per_step)),
            number(ratio(alone, row.ms_per_step)),
        );
    }
    text.push('\n');
    text
}

fn footer(floor: &Row) -> String {
    format!(
        "floor_ns: {} ns a pair of point and component, on one thread: one exp and eight multiplications.\n\
         Medians, in f64; half moons or the given points scaled to unit variance, without validation points. step:\n\
         kernel, burn's tensors, optimizer, bookkeeping and history, new slices and noise. kernel: value and gradient,\n\
         or the E-step. plain: value and gradient as plain burn tensors with autodiff, up to {PLAIN_POINTS_AT_MOST} \
         points. speed-up:\nover the same step on the first number of threads.\n",
        number(floor.ns_per_pair)
    )
}

fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?)
}

/// Three digits that count; a dash where there is nothing.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let digits = 2 - value.abs().log10().floor().clamp(-3.0, 2.0) as i32;
    format!("{value:.*}", digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(algorithm: &'static str, threads: usize, ms: f64) -> Row {
        Row {
            algorithm,
            k: Some(10),
            n: Some(100),
            threads,
            ms_per_step: Some(ms),
            ms_min: Some(ms),
            kernel_ms: Some(ms / 2.0),
            plain_burn_ms: None,
            ns_per_pair: Some(1e3 * ms),
            objective: Some(1.0),
        }
    }

    #[test]
    fn a_table_says_how_times_compare() {
        let rows = [row("nll", 1, 4.0), row("sm", 1, 6.0), row("nll", 2, 2.5), row("sm", 2, 4.0)];
        let text = table(&rows);
        let cells = |line: usize| -> Vec<&str> {
            text.lines().nth(line).unwrap().split_whitespace().collect()
        };
        assert_eq!(
            cells(1),
            ["10", "100", "1", "sm", "6.00", "3.00", "2.00", "6000", "1.50", "–", "–", "–"]
        );
        assert_eq!(
            cells(3),
            ["10", "100", "2", "sm", "4.00", "2.00", "2.00", "4000", "1.60", "–", "–", "1.50"]
        );
        // Every column ends where its heading does.
        let width = HEADER.trim_end().chars().count();
        assert!(text.lines().take(4).all(|line| line.chars().count() == width), "{text}");
    }

    #[test]
    fn numbers_have_three_digits() {
        let check = |value, expected: &str| assert_eq!(number(Some(value)), expected);
        check(0.012_34, "0.0123");
        check(0.5, "0.500");
        check(12.345, "12.3");
        check(1234.5, "1234");
        assert_eq!(number(None), "–");
    }
}

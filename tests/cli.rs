//! The command line, end to end: the program itself is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scorescope::algorithms::ALGORITHMS;
use scorescope::data::generators::GENERATORS;

fn scorescope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scorescope")).args(arguments).output().unwrap()
}

#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = scorescope(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The sentence that it fails with.
#[track_caller]
fn fails(arguments: &[&str]) -> String {
    let output = scorescope(arguments);
    assert!(!output.status.success(), "{arguments:?} should fail");
    String::from_utf8(output.stderr).unwrap()
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Rows of a CSV without its header.
fn rows(table: &[u8]) -> Vec<Vec<f64>> {
    String::from_utf8_lossy(table)
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|v| v.parse().unwrap_or(f64::NAN)).collect())
        .collect()
}

fn temporary() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn all_thesis_data_sets_train_with_all_algorithms() {
    let (_keep, folder) = temporary();
    for dataset in ["halfmoons", "spirals", "board"] {
        for info in &*ALGORITHMS {
            let out = folder.join(format!("{dataset}-{}", info.id));
            let out_text = out.display().to_string();
            succeeds(&[
                "run",
                "--dataset",
                dataset,
                "--algorithm",
                info.id,
                "--set",
                "n_components=12",
                "--set",
                "n_samples=1000",
                "--set",
                "max_iter=60",
                "--set",
                "tol=0",
                "--out",
                &out_text,
            ]);
            let what = format!("{dataset} {}", info.id);
            let metrics = read(&out, "metrics.csv");
            assert!(metrics.starts_with(b"step,seconds,objective,train_nll,val_nll"), "{what}");
            let rows = rows(&metrics);
            assert_eq!(rows.len(), 61, "{what}");
            assert!(rows.iter().flatten().all(|v| v.is_finite()), "{what}");
            let (first, last) = (&rows[0], &rows[60]);
            assert!(
                last[2] < first[2],
                "{what}: the objective fell from {} to {}",
                first[2],
                last[2]
            );
            let best = rows.iter().map(|row| row[4]).fold(f64::INFINITY, f64::min);
            assert!(best <= first[4] && best < 5.0, "{what}: {best}");
            let model: serde_json::Value =
                serde_json::from_slice(&read(&out, "model.json")).unwrap();
            assert_eq!(model["weights_"].as_array().unwrap().len(), 12, "{what}");
            // The best step on the validation data is what is kept.
            let kept = model["scorescope"]["val_nll"].as_f64().unwrap();
            assert!((kept - best).abs() < 1e-12, "{what}: {kept} {best}");
            assert!(read(&out, "density.png").starts_with(b"\x89PNG"), "{what}");
            let manifest: serde_json::Value =
                serde_json::from_slice(&read(&out, "manifest.json")).unwrap();
            assert_eq!(manifest["settings"]["model"]["n_components"], 12, "{what}");
        }
    }
}

#[test]
fn equal_experiments_give_equal_bytes_on_one_and_two_threads() {
    let (_keep, folder) = temporary();
    for algorithm in ["em", "ssm"] {
        let run = |threads: &str| {
            let out = folder.join(format!("{algorithm}{threads}"));
            let out_text = out.display().to_string();
            succeeds(&[
                "run",
                "--dataset",
                "spirals",
                "--algorithm",
                algorithm,
                "--set",
                "n_samples=3000",
                "--set",
                "max_iter=25",
                "--threads",
                threads,
                "--out",
                &out_text,
            ]);
            out
        };
        let (one, two) = (run("1"), run("2"));
        for name in ["model.json", "density.png", "manifest.json", "experiment.toml"] {
            assert!(read(&one, name) == read(&two, name), "{algorithm} {name}");
        }
        // All but the clock.
        let without_seconds = |out: &Path| -> Vec<[u64; 4]> {
            rows(&read(out, "metrics.csv"))
                .iter()
                .map(|row| [0, 2, 3, 4].map(|i| row[i].to_bits()))
                .collect()
        };
        assert_eq!(without_seconds(&one), without_seconds(&two), "{algorithm}");
    }
}

#[test]
fn an_experiment_file_repeats_the_run_that_wrote_it() {
    let (_keep, folder) = temporary();
    let (first, second) = (folder.join("first"), folder.join("second"));
    succeeds(&[
        "run",
        "--dataset",
        "ring",
        "--algorithm",
        "nll",
        "--set",
        "n_samples=500",
        "--set",
        "max_iter=20",
        "--set",
        "data.random_state=4",
        "--out",
        &first.display().to_string(),
    ]);
    let experiment = first.join("experiment.toml").display().to_string();
    succeeds(&["run", &experiment, "--out", &second.display().to_string()]);
    assert_eq!(read(&first, "model.json"), read(&second, "model.json"));
}

#[test]
fn a_run_on_a_file_repeats_from_anywhere_and_names_skipped_rows() {
    let (_keep, folder) = temporary();
    let points = folder.join("points.csv");
    fs::write(&points, "0,0\n1,2\nx,y\n3,1\n2,2\n".repeat(20)).unwrap();
    let (first, second) = (folder.join("one/two"), folder.join("three"));
    let output = Command::new(env!("CARGO_BIN_EXE_scorescope"))
        .current_dir(&folder)
        .args(["run", "--data", "points.csv", "--set", "n_components=2", "--set", "max_iter=5"])
        .arg("--out")
        .arg(&first)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("20 of 100 rows"), "{said}");
    let manifest: serde_json::Value =
        serde_json::from_slice(&read(&first, "manifest.json")).unwrap();
    assert!(manifest["notes"][0].as_str().unwrap().contains("20 of 100 rows"), "{manifest}");
    let experiment = first.join("experiment.toml").display().to_string();
    succeeds(&["run", &experiment, "--out", &second.display().to_string()]);
    assert_eq!(read(&first, "model.json"), read(&second, "model.json"));
}

#[test]
fn a_model_of_scaled_data_is_in_the_units_of_the_data() {
    let (_keep, folder) = temporary();
    let points = folder.join("wide.csv");
    let row = |i: u32| format!("{},{}", 1000 + 3 * (i % 20), 0.01 * f64::from(i / 20));
    let table = (0..400).map(row).collect::<Vec<_>>().join("\n");
    fs::write(&points, table).unwrap();
    let points = points.display().to_string();
    let mean_log_density = |scale: &str| {
        let out = folder.join(scale);
        let (scale, out_text) = (format!("scale={scale}"), out.display().to_string());
        succeeds(&[
            "run",
            "--data",
            &points,
            "--set",
            "n_components=1",
            "--set",
            "reg_covar=0",
            "--last",
            "--set",
            &scale,
            "--out",
            &out_text,
        ]);
        let model = out.join("model.json").display().to_string();
        let rows = rows(succeeds(&["evaluate", "--model", &model, "--points", &points]).as_bytes());
        rows.iter().map(|row| row[2]).sum::<f64>() / rows.len() as f64
    };
    let (plain, scaled) = (mean_log_density("false"), mean_log_density("true"));
    assert!((plain - scaled).abs() < 1e-6, "{plain} {scaled}");
}

#[test]
fn a_model_is_evaluated_at_points_of_a_file() {
    let (_keep, folder) = temporary();
    let points = folder.join("p.csv");
    fs::write(&points, "x1,x2\n0,0\n1,0.5\nnothing,2\n2,-1\n").unwrap();
    let out = folder.join("out");
    let [points, model, out] =
        [points, out.join("model.json"), out].map(|p| p.display().to_string());
    succeeds(&["run", "--dataset", "halfmoons", "--set", "max_iter=5", "--out", &out]);
    let table = succeeds(&["evaluate", "--model", &model, "--points", &points]);
    assert!(table.starts_with("x1,x2,log_density,score1,score2,r1,r2,"));
    let rows = rows(table.as_bytes());
    assert_eq!(rows.len(), 3);
    for row in rows {
        let responsibilities: f64 = row[5..].iter().sum();
        assert!((responsibilities - 1.0).abs() < 1e-12);
    }
}

#[test]
fn listings_name_everything() {
    let text = succeeds(&["list"]);
    for id in ALGORITHMS.iter().map(|info| info.id).chain(GENERATORS.iter().map(|info| info.id)) {
        assert!(text.contains(&format!("  {id}  ")), "{id}");
    }
    for key in
        ["n_components", "reg_covar", "init_params", "learning_rate", "n_slices", "n_samples"]
    {
        assert!(text.contains(&format!("--set {key}=")), "{key}");
    }
    assert!(!succeeds(&["list", "datasets"]).contains("learning_rate"));
    for info in &*ALGORITHMS {
        assert!(text.contains(&format!("minimizes {}\n", info.formula)), "{}", info.id);
    }
    let samplers = succeeds(&["list", "samplers"]);
    for sampler in scorescope::sampling::SAMPLERS {
        assert!(samplers.contains(&format!("  {}  {}\n", sampler.id, sampler.label)));
        for setting in sampler.settings {
            assert!(samplers.contains(&format!("      {}=", setting.key)), "{}", setting.key);
        }
    }
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let (_keep, folder) = temporary();
    let out = folder.join("out").display().to_string();
    let file = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let check = |arguments: &[&str], expected: &str| {
        let mut all = vec!["run"];
        all.extend(arguments);
        all.extend(["--out", &out]);
        let said = fails(&all);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    };
    check(&[], "nothing to train");
    check(&["--dataset", "moons"], "there is no data set \"moons\"; these exist: halfmoons");
    check(&["--dataset", "board", "--algorithm", "adam"], "there is no algorithm \"adam\"");
    check(&["--dataset", "board", "--set", "n_components=0"], "n_components = 0 is not possible");
    check(&["--dataset", "board", "--set", "k=3"], "there is no setting \"k\"");
    check(
        &["--dataset", "pinwheel", "--algorithm", "esm"],
        "Explicit score matching needs the true score of the data, and Pinwheel has no density in closed form",
    );
    check(&["--dataset", "board", "--set", "n_components"], "write it as KEY=VALUE");
    let setting = |algorithm: &str, choice: &str, expected: &str| {
        check(&["--dataset", "board", "--algorithm", algorithm, "--set", choice], expected);
    };
    setting("dsm", "sigma=0", "sigma = 0 is not possible: it takes a number from 0.001 to 100");
    setting("dsm", "n_levels=0", "n_levels = 0 is not possible: it takes a whole number from 1");
    setting("ssm", "n_slices=0", "n_slices = 0 is not possible: it takes a whole number from 1");
    setting("nce", "shift=-1", "shift = -1 is not possible: it takes a number from 0.001 to 100");
    setting("csm", "order=x3", "order = x3 is not possible: it takes one of x1_x2, x2_x1");
    check(&["missing.toml"], "missing.toml cannot be read");
    check(&[&file("bad.toml", b"[data")], "is not an experiment");
    check(&["--data", "missing.csv"], "missing.csv");
    check(&["--data", &file("empty.csv", b"")], "empty");
    check(&["--data", &file("text.csv", b"some\nwords\nonly\n")], "text.csv");
    check(&["--data", &file("one.csv", b"1\n2\n3\n")], "one.csv");
    check(&["--data", &file("nan.csv", b"nan,nan\ninf,1\n")], "nan.csv");
    let few = file("few.csv", b"1,2\n3,4\n5,6\n");
    check(&["--data", &few], "12 components need at least 12 training points");
    // All points equal: the floor keeps it going.
    let equal = file("equal.csv", "1,2\n".repeat(50).as_bytes());
    succeeds(&[
        "run",
        "--data",
        &equal,
        "--set",
        "n_components=2",
        "--set",
        "max_iter=5",
        "--out",
        &out,
    ]);
}

#[test]
fn training_that_breaks_down_says_why_and_keeps_the_last_good_state() {
    let (_keep, folder) = temporary();
    let out = folder.join("out");
    let output = scorescope(&[
        "run",
        "--dataset",
        "halfmoons",
        "--algorithm",
        "sm",
        "--set",
        "learning_rate=10",
        "--set",
        "optimizer=sgd",
        "--set",
        "reg_covar=0",
        "--set",
        "n_samples=200",
        "--last",
        "--out",
        &out.display().to_string(),
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    // The files are written, and a script can tell.
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("no longer finite: lower the learning rate"), "{said}");
    assert!(rows(&read(&out, "metrics.csv")).iter().flatten().all(|v| v.is_finite()));
    let manifest: serde_json::Value = serde_json::from_slice(&read(&out, "manifest.json")).unwrap();
    assert!(manifest["finish"].as_str().unwrap().starts_with("stopped"), "{manifest}");
}

/// Shape only: what the times are is no matter of a test.
#[test]
fn a_measurement_has_a_row_for_every_algorithm_and_number_of_threads() {
    let arguments = ["bench", "--json", "--k", "2,3", "--n", "200", "--threads", "1,2"];
    let text = succeeds(&arguments);
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (floor, rows) = rows.split_last().unwrap();
    assert_eq!(floor["algorithm"], "floor");
    assert!(floor["ns_per_pair"].as_f64().unwrap() > 0.0, "{floor}");
    let (frames, rows): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row["algorithm"].as_str().unwrap().starts_with("frame"));
    assert_eq!(frames.len(), if cfg!(feature = "gui") { 2 } else { 0 }, "{frames:?}");
    assert!(frames.iter().all(|row| row["n"] == 200 && row["ms_per_step"].as_f64() > Some(0.0)));
    assert_eq!(rows.len(), 2 * 2 * ALGORITHMS.len());
    for info in &*ALGORITHMS {
        for (k, threads) in [(2, 1), (2, 2), (3, 1), (3, 2)] {
            let is_it = |row: &&&serde_json::Value| {
                row["algorithm"] == info.id && row["k"] == k && row["threads"] == threads
            };
            assert_eq!(rows.iter().filter(is_it).count(), 1, "{} {k} {threads}", info.id);
        }
    }
    for row in &rows {
        assert_eq!(row["n"], 200, "{row}");
        let is_positive = |key: &str| row[key].as_f64().is_some_and(|v| v > 0.0);
        for key in ["ms_per_step", "ms_min", "kernel_ms", "ns_per_pair"] {
            assert!(is_positive(key), "{key}: {row}");
        }
        let has_plain_form = row["algorithm"] != "em" && row["algorithm"] != "esm";
        assert_eq!(is_positive("plain_burn_ms"), has_plain_form, "{row}");
        assert_eq!(row["plain_burn_ms"].is_null(), !has_plain_form, "{row}");
        assert!(row["ms_min"].as_f64() <= row["ms_per_step"].as_f64(), "{row}");
        // Equal starts, whatever the number of threads.
        let is_sibling = |other: &&&serde_json::Value| {
            other["algorithm"] == row["algorithm"] && other["k"] == row["k"]
        };
        for other in rows.iter().filter(is_sibling) {
            assert_eq!(other["objective"], row["objective"], "{row}");
        }
    }
}

#[test]
fn a_measurement_takes_points_of_a_file_and_prints_a_table() {
    let (_keep, folder) = temporary();
    let points = folder.join("points.csv");
    let table: Vec<_> = (0..50).map(|i| format!("{},{}\n", i, (i * i) % 17)).collect();
    fs::write(&points, table.concat()).unwrap();
    let data = points.display().to_string();
    let text = succeeds(&[
        "bench",
        "--data",
        &data,
        "--k",
        "2",
        "--threads",
        "1",
        "--algorithm",
        "nll,ssm",
        "--set",
        "n_slices=3",
    ]);
    let header = text.lines().next().unwrap();
    assert!(header.contains("step ms") && header.contains("step/NLL"), "{text}");
    for id in ["nll", "ssm"] {
        let cells: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|cells| cells.get(3) == Some(&id))
            .collect();
        assert_eq!(cells.len(), 1, "{text}");
        assert_eq!(cells[0][..3], ["2", "50", "1"], "{text}");
    }
    assert!(text.contains("floor_ns"), "{text}");

    let check = |arguments: &[&str], expected: &str| {
        let mut all = vec!["bench"];
        all.extend(arguments);
        let said = fails(&all);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    };
    check(&["--data", &data, "--k", "100"], "100 components need at least 100 training points");
    check(&["--data", "missing.npy"], "missing.npy");
    check(&["--k", "500"], "n_components = 500 is not possible");
    check(&["--n", "3000000000"], "n_samples = 3000000000 is not possible");
    check(&["--threads", "0"], "invalid value '0'");
    check(&["--algorithm", "gd"], "there is no algorithm \"gd\"");
    check(&["--set", "n_slices"], "write it as KEY=VALUE");
    check(
        &["--algorithm", "nll", "--set", "n_slices=3"],
        "no algorithm has a setting \"n_slices\"",
    );
    check(&["--set", "n_slices=0"], "n_slices = 0 is not possible");
}

#[test]
fn without_a_display_it_says_what_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_scorescope"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("no window") && said.contains("scorescope run"), "{said}");
    assert!(said.contains("libxkbcommon-x11-0"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_start_that_is_given_is_where_training_begins() {
    let (_keep, folder) = temporary();
    let path = folder.join("given.toml");
    let text = "[data]\ndataset = 'board'\nscale = true\n[algorithm]\nmax_iter = 2\n
        [[start.component]]\nweight = 0.3\nmean = [0.1, 0.7]\ncovariance = [[0.3, 0.1], [0.1, 0.2]]
        [[start.component]]\nweight = 0.7\nmean = [0.6, 0.2]\ncovariance = [[0.2, 0], [0, 0.4]]\n";
    fs::write(&path, text).unwrap();
    let experiment = scorescope::training::Experiment::read(&path).unwrap();
    let run_to = |file: &Path, name: &str| {
        let out = folder.join(name);
        succeeds(&["run", &file.display().to_string(), "--out", &out.display().to_string()]);
        out
    };
    let first = run_to(&path, "first");
    let written = scorescope::training::Experiment::read(&first.join("experiment.toml")).unwrap();
    assert_eq!(written, experiment);
    // What the command line says of step 0 is what the engine says of it, to the bit.
    let prepared = scorescope::training::Prepared::new(&experiment).unwrap();
    let record = scorescope::training::Run::new(&experiment, prepared).unwrap().record();
    let metrics = rows(&read(&first, "metrics.csv"));
    assert_eq!(metrics.len(), 3);
    assert!(metrics[0].contains(&record.objective) && metrics[0].contains(&record.val_nll));
    // From its own file, it trains the same again.
    let second = run_to(&first.join("experiment.toml"), "second");
    assert_eq!(read(&first, "model.json"), read(&second, "model.json"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&read(&first, "manifest.json")).unwrap();
    assert_eq!(manifest["settings"]["start"]["component"][1]["mean"][0], 0.6);
}

#[test]
fn many_seeds_are_a_table_whose_first_row_is_the_run_itself() {
    let (_keep, folder) = temporary();
    let out = folder.display().to_string();
    let run = |threads: &str| {
        succeeds(&[
            "run",
            "--dataset",
            "ring",
            "--set",
            "n_samples=400",
            "--set",
            "n_components=5",
            "--set",
            "start.init_params=random",
            "--set",
            "start.random_state=4294967294",
            "--set",
            "max_iter=40",
            "--seeds",
            "4",
            "--threads",
            threads,
            "--out",
            &out,
        ]);
        read(&folder, "seeds.csv")
    };
    let table = run("1");
    assert!(table.starts_with(b"seed,steps,converged,objective,train_nll,val_nll\n"));
    let rows_of = rows(&table);
    let seeds: Vec<f64> = rows_of.iter().map(|row| row[0]).collect();
    assert_eq!(seeds, [4_294_967_294.0, 4_294_967_295.0, 0.0, 1.0]);
    let metrics = rows(&read(&folder, "metrics.csv"));
    let last = &metrics[metrics.len() - 1];
    assert_eq!(rows_of[0][1], last[0]);
    assert_eq!(rows_of[0][3..], last[2..5]);
    assert_ne!(rows_of[1][3..], last[2..5]);
    assert_eq!(run("2"), table);
    assert!(
        fails(&["run", "--dataset", "ring", "--seeds", "0", "--out", &out]).contains("--seeds")
    );
}

#[test]
fn a_race_and_a_fork_from_a_file_write_a_folder_a_run() {
    let (_folder, path) = temporary();
    let file = path.join("race.toml");
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 400\n[model]\nn_components = 4\n\
                [algorithm]\nmax_iter = 12\ntol = 0.0\n\
                [[branch]]\nname = 'nll'\nmax_iter = 12\ntol = 0.0\nlearning_rate = 0.1\n\
                [[branch]]\nname = 'sm'\nstep = 5\nmax_iter = 12\ntol = 0.0\n\
                [[branch]]\nname = 'em'\nstep = 99\n";
    fs::write(&file, text).unwrap();
    let out = path.join("out");
    let output = scorescope(&["run", file.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("run 4, Expectation–maximization: never began"), "{told}");
    let curve = |folder: &str| rows(&read(&out.join(folder), "metrics.csv"));
    let (trunk, nll, sm) = (curve(""), curve("run-2-nll"), curve("run-3-sm"));
    assert_eq!([&trunk, &nll, &sm].map(|rows| rows[0][0]), [0.0, 0.0, 5.0]);
    assert!([&trunk, &nll, &sm].into_iter().all(|rows| rows.last().unwrap()[0] == 12.0));
    // A fork begins with the likelihood at which it left, a racer with that of the start.
    assert!((sm[0][3] - trunk[5][3]).abs() < 1e-12 && (nll[0][3] - trunk[0][3]).abs() < 1e-12);
    // A racer's experiment is one of its own, and repeats it; a fork's is the whole.
    let again = path.join("again");
    let racer = out.join("run-2-nll").join("experiment.toml");
    succeeds(&["run", racer.to_str().unwrap(), "--out", again.to_str().unwrap()]);
    let without_clock = |rows: &[Vec<f64>]| -> Vec<Vec<u64>> {
        let bits = |row: &Vec<f64>| [0, 2, 3, 4, 5].map(|i| row[i].to_bits()).to_vec();
        rows.iter().map(bits).collect()
    };
    assert_eq!(without_clock(&rows(&read(&again, "metrics.csv"))), without_clock(&nll));
    let fork = read(&out.join("run-3-sm"), "experiment.toml");
    assert!(String::from_utf8_lossy(&fork).contains("[[branch]]"));
}

#[test]
fn the_manifest_says_how_far_the_model_is_from_a_known_density() {
    let (_keep, folder) = temporary();
    let truth_of = |name: &str, arguments: &[&str]| -> serde_json::Value {
        let out = folder.join(name);
        let path = out.display().to_string();
        let mut all = vec!["run", "--set", "n_samples=300", "--set", "max_iter=15"];
        all.extend(["--out", &path]);
        all.extend(arguments);
        succeeds(&all);
        let manifest: serde_json::Value =
            serde_json::from_slice(&read(&out, "manifest.json")).unwrap();
        manifest["model"]["truth"].clone()
    };
    // In the units of the source, like the model that is written beside it.
    let ring = scorescope::data::generators::find("ring").unwrap();
    let density = ring.density.unwrap()(&scorescope::settings::Settings::default()).unwrap();
    for scale in ["scale=false", "scale=true"] {
        let got = truth_of(scale, &["--dataset", "ring", "--set", scale]);
        let model = String::from_utf8(read(&folder.join(scale), "model.json")).unwrap();
        let (mixture, _) = scorescope::export::model::read(&model).unwrap();
        let expected = scorescope::model::Truth::new(density.clone()).compare(&mixture);
        for (name, estimate) in [("kl", expected.kl), ("fisher", expected.fisher)] {
            let value = got[name]["value"].as_f64().unwrap();
            assert!(
                (value - estimate.value).abs() < 1e-9 * estimate.value,
                "{scale} {name} {value}"
            );
            assert!(got[name]["error"].as_f64().unwrap() < 1e-2 * value, "{scale} {name}");
        }
    }
    assert!(truth_of("none", &["--dataset", "pinwheel"]).is_null());
}

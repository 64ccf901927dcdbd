//! Sweeps, end to end: the program itself is run, interrupted, split into commands and collected.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_scorescope");

/// Two K × (EM, and sliced score matching at two rates) × two seeds.
const SWEEP: &str = r#"
[data]
dataset = "halfmoons"
n_samples = 400
[algorithm]
max_iter = 30
tol = 0
[sweep]
model.n_components = [2, 4]
algorithms = ["em", "ssm"]
algorithm.learning_rate = [0.01, 0.1]
start.random_state = [0, 1]
select = ["algorithm.learning_rate"]
[quick]
algorithm.max_iter = 3
model.n_components = 2
"#;
const JOBS: usize = 2 * (1 + 2) * 2;

fn scorescope(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
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
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    said
}

struct Place {
    _keep: tempfile::TempDir,
    folder: PathBuf,
    sweep: String,
}

/// A folder with a sweep in it.
fn place(sweep: &str) -> Place {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().to_owned();
    let path = folder.join("sweep of mine.toml");
    fs::write(&path, sweep).unwrap();
    Place { _keep: keep, folder, sweep: path.display().to_string() }
}

impl Place {
    fn out(&self, name: &str) -> (PathBuf, String) {
        let path = self.folder.join(name);
        (path.clone(), path.display().to_string())
    }
}

/// Every job's folder, in alphabetical order.
fn jobs(out: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(out.join("jobs")) else { return Vec::new() };
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn tables(out: &Path) -> [String; 2] {
    ["table.md", "table.csv"].map(|name| fs::read_to_string(out.join(name)).unwrap())
}

#[test]
fn a_sweep_ends_in_a_table_that_does_not_depend_on_threads() {
    let place = place(SWEEP);
    let ((one, one_text), (two, two_text)) = (place.out("one"), place.out("two"));
    let printed = succeeds(&["run", &place.sweep, "--threads", "1", "--out", &one_text]);
    succeeds(&["run", &place.sweep, "--threads", "2", "--out", &two_text]);
    assert_eq!(tables(&one), tables(&two));
    assert_eq!(printed, tables(&one)[0]);
    let (folders, others) = (jobs(&one), jobs(&two));
    assert_eq!((folders.len(), others.len()), (JOBS, JOBS));
    for (a, b) in folders.iter().zip(&others) {
        assert_eq!(a.file_name(), b.file_name());
        for name in ["model.json", "manifest.json", "experiment.toml"] {
            assert_eq!(fs::read(a.join(name)).unwrap(), fs::read(b.join(name)).unwrap(), "{name}");
        }
    }
    let [markdown, csv] = tables(&one);
    assert_eq!(markdown.lines().count(), 2 + 4, "{markdown}");
    assert!(markdown.contains(" ± "), "{markdown}");
    // The chosen rate is the one whose runs have the better mean, computed here from their manifests.
    let likelihood = |rate: &str| {
        let of_rate = |folder: &&PathBuf| {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            name.contains("ssm-n_components=4") && name.contains(&format!("rate={rate}-"))
        };
        let values: Vec<f64> = folders
            .iter()
            .filter(of_rate)
            .map(|folder| {
                let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
                let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
                -manifest["model"]["val_nll"].as_f64().unwrap()
            })
            .collect();
        assert_eq!(values.len(), 2, "{rate}");
        f64::midpoint(values[0], values[1])
    };
    let (low, high) = (likelihood("0.01"), likelihood("0.1"));
    let row = csv.lines().find(|line| line.starts_with("4,ssm,")).unwrap();
    let fields: Vec<&str> = row.split(',').collect();
    assert_eq!(fields[2], if high > low { "0.1" } else { "0.01" }, "{csv}");
    assert!((fields[4].parse::<f64>().unwrap() - high.max(low)).abs() < 1e-12, "{csv}");
}

#[test]
fn an_interrupted_sweep_goes_on_without_losing_or_repeating_a_run() {
    // The last job takes a second or more.
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 4000\n[model]\nn_components = 8\n[algorithm]\n\
                name = 'sm'\ntol = 0\n[sweep]\nalgorithm.max_iter = [3, 4, 5, 2000]\n";
    let place = place(text);
    let ((whole, whole_text), (out, out_text)) = (place.out("whole"), place.out("out"));
    let mut child = Command::new(PROGRAM)
        .args(["run", &place.sweep, "--threads", "1", "--out", &out_text])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let finished = || -> Vec<PathBuf> {
        jobs(&out).into_iter().filter(|folder| folder.join("manifest.json").exists()).collect()
    };
    let began = Instant::now();
    while finished().len() < 2 && began.elapsed() < Duration::from_mins(2) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = finished();
    assert!((2..4).contains(&kept.len()), "{kept:?}");
    assert!(!out.join("table.md").exists());
    // The clock stands in there: a repeated run would have another one.
    let metrics = |folder: &PathBuf| fs::read(folder.join("metrics.csv")).unwrap();
    let before: Vec<_> = kept.iter().map(metrics).collect();
    // What a run that was interrupted while writing leaves.
    let half = out.join("jobs/half");
    fs::create_dir_all(&half).unwrap();
    fs::write(kept[0].join(".tmpabc"), "half").unwrap();

    succeeds(&["run", &place.sweep, "--out", &out_text]);
    assert_eq!(kept.iter().map(metrics).collect::<Vec<_>>(), before);
    succeeds(&["run", &place.sweep, "--out", &whole_text]);
    assert_eq!(tables(&out), tables(&whole));
    assert_eq!(jobs(&out).len(), 4 + 1);
    // Other settings are other jobs; a manifest that was cut off is none.
    let last = jobs(&whole)[0].clone();
    let manifest = fs::read(last.join("manifest.json")).unwrap();
    fs::write(last.join("manifest.json"), &manifest[..manifest.len() / 2]).unwrap();
    fs::write(last.join(".tmpabc"), "half").unwrap();
    succeeds(&["run", &place.sweep, "--out", &whole_text]);
    assert_eq!(fs::read(last.join("manifest.json")).unwrap(), manifest);
    assert!(!last.join(".tmpabc").exists());
}

/// Runs what a shell is told.
#[track_caller]
fn shell(script: &str, arguments: &[&str]) -> String {
    let output = Command::new("sh").args(["-c", script, "sh"]).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn listed_commands_give_the_same_table() {
    let place = place(SWEEP);
    let (whole, whole_text) = place.out("whole");
    succeeds(&["run", &place.sweep, "--out", &whole_text]);
    // A name that a shell would take apart.
    let (out, out_text) = place.out("it's 100% # of $HOME");
    let listed = succeeds(&["run", &place.sweep, "--list-jobs", "--out", &out_text]);
    assert_eq!(listed.lines().count(), JOBS);
    assert!(jobs(&out).is_empty());
    shell(
        "\"$1\" run \"$2\" --list-jobs --out \"$3\" | tr '\\n' '\\0' | xargs -0 -n 1 -P 2 sh -c",
        &[PROGRAM, &place.sweep, &out_text],
    );
    let printed = succeeds(&["collect", &out_text]);
    assert_eq!(tables(&out), tables(&whole));
    assert_eq!(printed, tables(&out)[0]);

    // An array of Slurm: a line by its number.
    let (array, array_text) = place.out("array");
    let listed = succeeds(&["run", &place.sweep, "--list-jobs", "--out", &array_text]);
    let list = place.folder.join("jobs.txt");
    fs::write(&list, listed).unwrap();
    let list = list.display().to_string();
    for number in 1..=JOBS {
        shell("sh -c \"$(sed -n \"$1p\" \"$2\")\"", &[&number.to_string(), &list]);
        if number == 3 {
            let output = scorescope(&["collect", &array_text]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && said.contains("9 of 12 jobs are not done"),
                "{said}"
            );
            assert!(tables(&array)[0].contains("1 of 2"), "{}", tables(&array)[0]);
        }
    }
    succeeds(&["collect", &array_text]);
    assert_eq!(tables(&array), tables(&whole));

    let version = Command::new("parallel").arg("--version").output();
    if version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU")) {
        let (out, out_text) = place.out("parallel");
        shell(
            "\"$1\" run \"$2\" --list-jobs --out \"$3\" | parallel -j 2",
            &[PROGRAM, &place.sweep, &out_text],
        );
        succeeds(&["collect", &out_text]);
        assert_eq!(tables(&out), tables(&whole));
    }
}

#[test]
fn mixed_versions_and_other_points_are_refused() {
    let place = place(SWEEP);
    let (out, out_text) = place.out("out");
    succeeds(&["run", &place.sweep, "--quick", "--out", &out_text]);
    // EM and two rates, two seeds.
    assert_eq!(jobs(&out).len(), 3 * 2);
    let path = jobs(&out)[2].join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(manifest.contains(&version));
    fs::write(&path, manifest.replace(&version, "\"version\": \"0.0.9\"")).unwrap();
    let said = fails(&["collect", &out_text]);
    assert!(said.contains("was written by version 0.0.9, and this is"), "{said}");
    // To run it again is what helps.
    succeeds(&["run", &place.sweep, "--quick", "--out", &out_text]);
    assert_eq!(fs::read_to_string(&path).unwrap(), manifest);
    succeeds(&["collect", &out_text]);

    let points = |shift: f64| -> String {
        let row = |i: i32| format!("{},{}", f64::from(i % 7) + shift, f64::from(i % 11));
        (0..60).map(row).collect::<Vec<_>>().join("\n")
    };
    let data = place.folder.join("points.csv");
    let text = "[data]\nfile = 'points.csv'\n[model]\nn_components = 2\n[sweep]\n\
                algorithm.max_iter = [2, 3]\nalgorithm.name = ['em']";
    fs::write(&data, points(0.0)).unwrap();
    fs::write(&place.sweep, text).unwrap();
    let (out, out_text) = place.out("of a file");
    succeeds(&["run", &place.sweep, "--out", &out_text]);
    let manifest =
        |number: usize| fs::read_to_string(jobs(&out)[number].join("manifest.json")).unwrap();
    let before = manifest(0);
    fs::write(&data, points(0.5)).unwrap();
    // Only the second job is trained on the new points.
    let command = succeeds(&["run", &place.sweep, "--list-jobs", "--out", &out_text]);
    let second = command.lines().find(|line| line.contains("max_iter=3")).unwrap();
    shell("sh -c \"$1\"", &[second]);
    assert!(fails(&["collect", &out_text]).contains("were trained on different points"));
    succeeds(&["run", &place.sweep, "--out", &out_text]);
    assert_ne!(manifest(0), before);
}

#[test]
fn what_cannot_be_trained_is_told_and_the_rest_is_done() {
    let place =
        place("[data]\ndataset = 'ring'\nn_samples = 100\n[sweep]\nmodel.n_components = [2, 80]\n");
    let (out, out_text) = place.out("out");
    let said = fails(&["run", &place.sweep, "--out", &out_text]);
    assert!(said.contains("80 components need at least 80 training points"), "{said}");
    assert!(said.contains("1 of 2 jobs cannot be trained"), "{said}");
    assert!(tables(&out)[0].contains("| 0 of 1 |"), "{}", tables(&out)[0]);
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let place = place(SWEEP);
    let (_, out) = place.out("out");
    let check = |arguments: &[&str], expected: &str| {
        let mut all = vec!["run", &place.sweep, "--out", &out];
        all.extend(arguments);
        let said = fails(&all);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    };
    check(&["--last"], "--last is not for a sweep");
    check(&["--seeds", "3"], "--seeds is not for a sweep");
    check(&["--set", "n_components=3"], "write the section too, such as model.n_components");
    check(&["--set", "model.k=3"], "no job of the sweep has this setting");
    check(&["--set", "model.n_components=0"], "n_components = 0 is not possible");
    check(&["--algorithm", "adam"], "there is no algorithm \"adam\"");
    assert!(fails(&["collect", &out]).contains("sweep.toml cannot be read"));
    fs::write(&place.sweep, SWEEP.replace("model.n_c", "model.c")).unwrap();
    check(&[], "line 9: there is no setting \"model.components\"");
    fs::write(&place.sweep, SWEEP).unwrap();
    let file = place.folder.join("file");
    fs::write(&file, "").unwrap();
    let inside = file.join("out").display().to_string();
    assert!(fails(&["run", &place.sweep, "--out", &inside]).contains("cannot be made"));
    let alone = ["run", "--dataset", "ring", "--list-jobs", "--out", &out];
    assert!(fails(&alone).contains("are for an experiment file with [sweep]"));
}

#[test]
fn the_command_line_replaces_what_the_file_says() {
    let place = place(SWEEP);
    let (out, out_text) = place.out("out");
    succeeds(&[
        "run",
        &place.sweep,
        "--quick",
        "--algorithm",
        "em",
        "--set",
        "start.random_state=7",
        "--out",
        &out_text,
    ]);
    let folders = jobs(&out);
    let [job] = &folders[..] else { panic!("{folders:?}") };
    let name = job.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("halfmoons-em-n_components=2-start.random_state=7-"), "{name}");
    let metrics = fs::read_to_string(job.join("metrics.csv")).unwrap();
    assert_eq!(metrics.lines().count(), 1 + 1 + 3, "{metrics}");
}

#[test]
fn figures_are_drawn_of_what_was_trained() {
    let figures = r#"
[[figure]]
file = "densities.png"
show = "density_and_samples"
rows = "model.n_components"
columns = "algorithm.name"
dpi = 60
[[figure]]
file = "curves.svg"
show = "nll"
only = { model.n_components = 4 }
range = [0.5, 3]
[[figure]]
file = "time.pdf"
show = "nll"
over = "seconds"
columns = "model.n_components"
[[figure]]
file = "starts.svg"
show = "start"
rows = "model.n_components"
"#;
    let place = place(&SWEEP.replace("[quick]", &format!("{figures}[quick]")));
    let (out, out_text) = place.out("out");
    succeeds(&["run", &place.sweep, "--out", &out_text]);
    let read = |name: &str| fs::read(out.join(name)).unwrap();
    let picture = image::load_from_memory(&read("densities.png")).unwrap().into_rgb8();
    // 6.9 inches; two K, each with a row of densities and one of samples.
    assert_eq!(picture.width(), 414);
    assert!(picture.height() > picture.width(), "{:?}", picture.dimensions());
    let colors: std::collections::BTreeSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(colors.len() > 200, "{}", colors.len());
    let text = |name: &str| String::from_utf8(read(name)).unwrap();
    let curves = text("curves.svg");
    for word in ["EM (mean ± sd of 2 runs)", "SSM-VR", "step", "validation NLL"] {
        assert!(curves.contains(word), "{word}");
    }
    assert!(text("starts.svg").contains("K = 4"));
    assert!(read("time.pdf").starts_with(b"%PDF"));
    // The same results give the same bytes.
    let before = ["densities.png", "curves.svg", "time.pdf", "starts.svg"].map(read);
    succeeds(&["collect", &out_text]);
    assert!(before == ["densities.png", "curves.svg", "time.pdf", "starts.svg"].map(read));

    let text = SWEEP
        .replace("[quick]", "[[figure]]\nfile = 'a.png'\nrows = 'start.random_state'\n[quick]");
    fs::write(&place.sweep, text).unwrap();
    let said = fails(&["run", &place.sweep, "--out", &out_text]);
    assert!(said.contains("but seeds are averaged over"), "{said}");
}

#[test]
fn sections_of_the_thesis_are_listed_and_run_by_their_names() {
    let listed = succeeds(&["list", "experiments"]);
    let place = place("");
    for name in ["thesis-4.1.1", "thesis-4.1.2", "thesis-A.1"] {
        assert!(listed.contains(&format!("  {name}  ")), "{listed}");
    }
    let (out, out_text) = place.out("out");
    succeeds(&[
        "run",
        "thesis-4.1.2",
        "--quick",
        "--set",
        "data.n_samples=300",
        "--set",
        "algorithm.max_iter=4",
        "--out",
        &out_text,
    ]);
    // EM, NLL and SM once and SSM ten times from k-means; all four from ten random starts.
    assert_eq!(jobs(&out).len(), 3 + 10 + 4 * 10);
    for figure in ["4.5-densities", "4.5", "4.6", "4.7", "4.8", "A.6"] {
        assert!(out.join(format!("figure-{figure}.png")).exists(), "{figure}");
    }
    let main = succeeds(&["run", "thesis-4.1.1", "--list-jobs", "--out", &out_text]);
    assert_eq!(main.lines().count(), 9 * (1 + 3 * 7));
}

#[test]
fn a_collapse_is_a_result_with_its_name() {
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 60\n[model]\nn_components = 12\nreg_covar = 0\n\
                [algorithm]\ntol = 0\n[sweep]\nalgorithms = ['em']\nstart.random_state = [0, 1, 2]\n";
    let place = place(text);
    let (out, out_text) = place.out("out");
    let table = succeeds(&["run", &place.sweep, "--out", &out_text]);
    assert!(table.contains("| trouble |") && table.contains("collapse (3 of 3)"), "{table}");
    let manifest = fs::read_to_string(jobs(&out)[0].join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let what = manifest["trouble"]["what"].as_str().unwrap();
    assert!(what.contains("collapses onto a point or a line near ("), "{what}");
    assert!(manifest["trouble"]["step"].as_u64().unwrap() < 1000, "{manifest}");
}

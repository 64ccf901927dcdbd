//! `scorescope figure`, end to end: the program itself is run.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs it on few points for a few steps; what it said, and whether that was good news.
fn figure(arguments: &[&str]) -> (bool, String) {
    let small = ["--set", "n_samples=300", "--set", "max_iter=6", "--set", "n_components=4"];
    let output = Command::new(env!("CARGO_BIN_EXE_scorescope"))
        .arg("figure")
        .args(arguments)
        .args(small)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn draws(arguments: &[&str], out: &Path) -> Vec<u8> {
    let name = out.to_str().unwrap();
    let (is_good, words) = figure(&[arguments, &["--out", name]].concat());
    assert!(is_good, "{arguments:?}: {words}");
    fs::read(out).unwrap()
}

/// All that is written on a figure, without its lines' ends. What is raised or lowered there is a usual digit.
fn words(svg: &str) -> String {
    let lines = svg.replace("</text>", "> ");
    let texts = lines.split('<').filter_map(|tag| tag.split_once('>'));
    let text: String = texts.map(|(_, text)| text.replace('>', " ")).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn everything_that_can_be_drawn_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for what in [
        "canvas",
        "race",
        "nll",
        "objective",
        "weights",
        "terms",
        "kl",
        "fisher",
        "constant",
        "seeds",
        "finals",
        "basin",
        "landscape",
        "redraws",
    ] {
        // Few starts and cells; and draws, which EM has none of.
        let small = ["--seeds", "5", "--cells", "8", "--algorithm", "ssm"];
        for (format, begin) in
            [("pdf", &b"%PDF-1."[..]), ("svg", b"<svg "), ("png", b"\x89PNG\r\n")]
        {
            let out = folder.path().join(format!("{what}.{format}"));
            let arguments = ["--dataset", "halfmoons", "--what", what];
            let bytes = draws(&[&arguments[..], &small].concat(), &out);
            assert!(bytes.starts_with(begin), "{what} as {format}");
            assert!(bytes.len() > 2_000, "{what} as {format}: {}", bytes.len());
        }
    }
}

#[test]
fn layers_sizes_and_words_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.svg");
    let layers = "density,data,validation,components,samples,score,streamlines,paths";
    let all = ["--dataset", "board", "--layers", layers, "--width", "8.4cm", "--height", "70mm"];
    let svg = String::from_utf8(draws(&all, &out)).unwrap();
    for layer in layers.split(',').filter(|layer| *layer != "data") {
        assert!(svg.contains(&format!("class=\"plane-{layer}\"")), "{layer}");
    }
    assert!(svg.contains("width=\"3.3071in\" height=\"2.7559in\""), "{}", &svg[..300]);
    assert!(svg.contains("id=\"colors\"") && svg.contains("Training data</text>"));
    let out = folder.path().join("b.svg");
    let bare = ["--dataset", "board", "--no-legend", "--no-color-bar", "--caption"];
    let dark = ["--background", "dark", "--step", "2", "--font-size", "9"];
    let svg = String::from_utf8(draws(&[&bare[..], &dark[..]].concat(), &out)).unwrap();
    assert!(!svg.contains("id=\"colors\"") && !svg.contains("Training data</text>"));
    assert!(svg.contains("step 2.</text>") && svg.contains("step 2</text>"), "{svg}");
    assert!(svg.contains("fill=\"#1b1e24\""));
}

#[test]
fn a_field_takes_the_place_of_the_density_and_says_what_its_colors_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut pictures = Vec::new();
    for (field, label) in [
        ("density", "Density p(x)"),
        ("log-density", "Log density log p(x)"),
        ("norm", "½‖s(x)‖2"),
        ("trace", "tr ∇s(x)"),
        ("term", "tr ∇s(x) + ½‖s(x)‖2"),
        ("score-error", "‖model score − true score‖"),
    ] {
        let out = folder.path().join(format!("{field}.svg"));
        let arguments = [
            "--dataset",
            "ring",
            "--layers",
            "density,score",
            "--field",
            field,
            "--preset",
            "slide",
        ];
        let svg = String::from_utf8(draws(&arguments, &out)).unwrap();
        // In the legend and at the color bar.
        let text = words(&svg) + " ";
        assert_eq!(text.matches(&format!("{label} ")).count(), 2, "{field}: {text}");
        assert_eq!(svg.matches("class=\"plane-density\"").count(), 1, "{field}");
        assert_eq!(svg.matches("class=\"plane-score\"").count(), 1, "{field}");
        let has_errors = svg.contains(">Model score − true score<");
        assert_eq!(has_errors, field == "score-error", "{field}");
        let picture = svg.split("base64,").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(!pictures.contains(&picture), "{field} is another field");
        pictures.push(picture);
    }
}

#[test]
fn workings_are_those_of_the_algorithm() {
    let folder = tempfile::tempdir().unwrap();
    for (algorithm, layer) in [
        ("ssm", "workings-slices"),
        ("dsm", "workings-noise"),
        ("csm", "workings-cut"),
        ("nce", "workings-shift"),
    ] {
        let out = folder.path().join(format!("{algorithm}.svg"));
        let layers = ["--layers", "data,workings", "--algorithm", algorithm];
        let svg = String::from_utf8(draws(&[&["--dataset", "ring"], &layers[..]].concat(), &out));
        assert!(svg.unwrap().contains(&format!("class=\"plane-{layer}\"")), "{algorithm}");
    }
    // Another cut is another figure.
    let cut = |name: &str, arguments: &[&str]| {
        let all = ["--dataset", "ring", "--layers", "workings", "--algorithm", "csm"];
        draws(&[&all[..], arguments].concat(), &folder.path().join(name))
    };
    assert!(cut("a.svg", &["--cut", "-0.5"]) != cut("b.svg", &[]));
    // EM has none, a racer of it may.
    let file = folder.path().join("race.toml");
    let text = "[data]\ndataset = 'ring'\n[[branch]]\nname = 'ssm'\nmax_iter = 6\n";
    fs::write(&file, text).unwrap();
    let race = [file.to_str().unwrap(), "--what", "race", "--layers", "workings"];
    let svg = String::from_utf8(draws(&race, &folder.path().join("race.svg"))).unwrap();
    assert_eq!(svg.matches("class=\"plane-workings-slices\"").count(), 1);
}

#[test]
fn many_starts_are_as_many_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.svg");
    let few = ["--dataset", "halfmoons", "--seeds", "7", "--caption", "--preset", "poster"];
    let from_3 = ["--set", "start.random_state=3", "--set", "init_params=random"];
    for (what, title) in [("seeds", "Many seeds: 7 starts"), ("finals", " of 7")] {
        let arguments = [&few[..], &from_3, &["--what", what]].concat();
        let svg = String::from_utf8(draws(&arguments, &out)).unwrap();
        assert!(svg.contains(title), "{what}");
        let words = words(&svg);
        assert!(words.contains("; 7 starts with seeds from 3 to 9."), "{what}: {words}");
        fs::remove_file(&out).unwrap();
    }
}

#[test]
fn maps_are_of_the_components_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |name: &str, arguments: &[&str]| {
        let all = [&["--dataset", "halfmoons", "--cells", "8"], arguments].concat();
        String::from_utf8(draws(&all, &folder.path().join(name))).unwrap()
    };
    let basin = draw("b.svg", &["--what", "basin", "--component", "3"]);
    assert!(basin.contains(">Basin map: every pixel is a start of mean 3</text>"));
    assert!(basin.contains(">Start of mean 3</text>") && basin.contains(">optimum 1: NLL "));
    assert!(!basin.contains("class=\"basin-density\""));
    let steps = ["--what", "basin", "--color-by", "steps"];
    assert!(words(&draw("c.svg", &steps)).contains("steps until it stopped"));
    let landscape = draw("d.svg", &["--what", "landscape", "--component", "2"]);
    let title = "Loss landscape: objective of EM through step 6";
    for text in [title, "x1 of mean 2", "x2 of mean 2", "Path of EM"] {
        assert!(words(&landscape).contains(text), "{text}: {}", words(&landscape));
    }
    let pair = ["--what", "landscape", "--over", "pair", "--component", "4", "--other", "1"];
    let pair = draw("e.svg", &[&pair[..], &["--step", "3"]].concat());
    for text in ["x1 of mean 4", "x1 of mean 1", "through step 3"] {
        assert!(words(&pair).contains(text), "{text}: {}", words(&pair));
    }
    let path = draw("f.svg", &["--what", "landscape", "--over", "path"]);
    assert!(words(&path).contains("first direction ("), "{}", words(&path));
}

#[test]
fn a_race_is_a_grid_of_panels() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("race.toml");
    let text = "[data]\ndataset = 'halfmoons'\n[[branch]]\nname = 'nll'\nmax_iter = 6\n";
    fs::write(&file, text).unwrap();
    let out = folder.path().join("race.svg");
    let arguments =
        [file.to_str().unwrap(), "--what", "race", "--panels", "2", "--preset", "columns"];
    let svg = String::from_utf8(draws(&[&arguments[..], &["--caption"]].concat(), &out)).unwrap();
    for panel in ["(a) EM, step 6, NLL ", "(b) "] {
        assert!(svg.contains(&format!(">{panel}")), "{panel}");
    }
    assert_eq!(svg.matches("<clipPath").count(), 2);
}

#[test]
fn the_same_experiment_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["pdf", "svg", "png"] {
        let [a, b] = ["a", "b"].map(|name| {
            let out = folder.path().join(format!("{name}.{format}"));
            draws(&["--dataset", "spirals", "--algorithm", "ssm", "--caption"], &out)
        });
        assert!(a == b, "{format}");
    }
}

#[test]
fn odd_names_are_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub folder")).unwrap();
    for name in
        ["with space.pdf", "100%.svg", "#1 ?&=.png", "two\nlines.pdf", "sub folder/../up.svg"]
    {
        draws(&["--dataset", "halfmoons"], &folder.path().join(name));
    }
    assert!(folder.path().join("up.svg").exists());
}

#[test]
fn what_cannot_be_is_said_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let fails = |arguments: &[&str], expected: &str| {
        let (is_good, words) = figure(&[&["--dataset", "halfmoons"], arguments].concat());
        assert!(!is_good, "{arguments:?} should fail");
        assert!(words.contains(expected), "{arguments:?}: {words}");
    };
    fs::write(path("old.pdf"), "old").unwrap();
    fails(&["--out", &path("old.pdf")], "old.pdf is there already: choose another name, or add");
    assert_eq!(fs::read(path("old.pdf")).unwrap(), b"old");
    fails(&["--out", &path("no/a.pdf")], "no/a.pdf was not written: ");
    fails(&["--out", &path("a.jpg")], "a.jpg: the name of a figure ends in .pdf, .svg or .png");
    fails(&["--out", &path("a")], "ends in .pdf, .svg or .png");
    fails(&["--out", &path("a.pdf"), "--width", "3 feet"], "lengths are in in, cm, mm or pt");
    fails(&["--out", &path("a.pdf"), "--width", "900in"], "900 in is not possible");
    fails(&["--out", &path("a.pdf"), "--preset", "a4"], "one of column, columns, slide, poster");
    fails(&["--out", &path("a.pdf"), "--step", "7"], "has no step 7: its last one is 6");
    fails(&["--out", &path("a.pdf"), "--font-size", "90"], "the panels have no room");
    // A wrong folder is told of before anything is read or trained.
    let (is_good, words) = figure(&["no.toml", "--out", &path("no/a.pdf")]);
    assert!(!is_good && words.contains("create the folder first"), "{words}");
    let sharp = ["--set", "noise=0", "--out", &path("a.pdf")];
    for what in [["--field", "score-error"], ["--what", "kl"]] {
        fails(&[&sharp[..], &what].concat(), "lie on a curve without noise");
    }
    let bare = ["--out", &path("a.pdf"), "--layers", "data", "--field", "norm"];
    fails(&bare, "a field lies in the density's place: add density to --layers");
    let workings = ["--out", &path("a.pdf"), "--layers", "workings", "--algorithm"];
    for (algorithm, expected) in [
        ("em", "EM has no workings to draw: it averages"),
        ("nll", "The likelihood has no workings to draw"),
        ("sm", "Exact score matching has no workings to draw"),
    ] {
        fails(&[&workings[..], &[algorithm]].concat(), expected);
    }
    let map = ["--out", &path("a.pdf"), "--what"];
    let fails_as = |arguments: &[&str], expected: &str| {
        fails(&[&map[..], arguments].concat(), expected);
    };
    fails_as(&["basin", "--component", "5"], "there is no such component, they are 1 to 4");
    fails_as(&["landscape", "--component", "5"], "there is no such component, they are 1 to 4");
    let pair = ["landscape", "--over", "pair", "--component", "2", "--other", "2"];
    fails_as(&pair, "a pair has two components");
    fails_as(&["landscape", "--cells", "100"], "it is one of 8, 16, 32, 64, 128, 256");
    fails_as(&["seeds", "--step", "3"], "leave out --step");
    fails_as(&["redraws"], "Expectation–maximization draws nothing at random at a step");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    draws(&["--dataset", "halfmoons", "--replace"], Path::new(&path("old.pdf")));
}

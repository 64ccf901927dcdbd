//! The runs of a tree as memoirs, and a tree that goes on where memoirs end.

use std::time::Instant;

use super::{Entry, State, Tree, locked};
use crate::training::run::MOST_SECS_AGAIN;
use crate::training::{
    BranchId, Experiment, ExperimentError, Memoir, Moment, News, Prepared, Run, Timeline,
};

impl Tree {
    /// What is known of all runs that have begun.
    #[must_use]
    pub fn memoirs(&self) -> Vec<Memoir> {
        let memoir = |(id, entry): (&BranchId, &Entry)| {
            let State::Running(run) = &entry.state else { return None };
            let moments: Vec<Moment> = locked(&entry.timeline).moments().cloned().collect();
            run.memoir(*id, moments, entry.guard.clone(), entry.finish.clone())
        };
        self.entries.iter().filter_map(memoir).collect()
    }

    /// The runs of an experiment where memoirs end; those without one begin as usual. [`Tree::wake`] makes them ready to
    /// go on, and so does their next step.
    ///
    /// # Errors
    /// [`ExperimentError`] if the trunk cannot begin.
    pub fn taken_up(
        experiment: &Experiment,
        prepared: Prepared,
        memoirs: &[Memoir],
    ) -> Result<Tree, ExperimentError> {
        let of = |id| memoirs.iter().find(|memoir| memoir.id() == id);
        let Some(trunk) = of(BranchId::TRUNK) else { return Tree::new(experiment, prepared) };
        let mut tree = Tree::empty(experiment, prepared.with_start(trunk.start().clone()));
        for id in experiment.runs() {
            tree.await_parent(id);
            if let Some(memoir) = of(id) {
                let run = Run::taken_up(memoir, &experiment.alone(id), &tree.prepared)?;
                tree.resume(id, run, memoir);
            }
        }
        tree.share_memory();
        tree.grow();
        Ok(tree)
    }

    /// Puts a run in its place that has come so far already.
    fn resume(&mut self, id: BranchId, run: Run, memoir: &Memoir) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.state = State::Running(Box::new(run));
        (entry.guard, entry.finish) = (memoir.guard().clone(), memoir.finish().cloned());
        let mut timeline = Timeline::default();
        memoir.moments().iter().for_each(|moment| timeline.push(moment.clone()));
        *locked(&entry.timeline) = timeline;
        let mut records = memoir.records().iter();
        self.news.extend(records.next().map(|first| (id, News::Started(*first))));
        self.news.extend(records.map(|record| (id, News::Recorded(*record))));
        self.news.extend(memoir.finish().map(|finish| (id, News::Finished(finish.clone()))));
    }

    /// Makes runs ready to go on that another program has trained. Those whose memory begins anew are told of as
    /// [`News::Forgot`]; one that cannot go on says so at its next step.
    pub fn wake(&mut self) {
        // By the clock here: what the file says of another machine's time need not be true of this one.
        let began = Instant::now();
        for (id, entry) in &mut self.entries {
            let State::Running(run) = &mut entry.state else { continue };
            let left_secs = MOST_SECS_AGAIN - began.elapsed().as_secs_f64();
            if let Ok(false) = run.wake(left_secs) {
                self.news.push((*id, News::Forgot));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Who;
    use crate::training::numbers::Numbers;

    fn small(id: &str) -> Experiment {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        for (key, value) in
            [("n_samples", "400"), ("n_components", "4"), ("max_iter", "60"), ("tol", "0")]
        {
            experiment.set(key, value).unwrap();
        }
        experiment
    }

    fn play(tree: &mut Tree, steps: usize) {
        for _ in 0..steps {
            tree.turn(Who::All);
        }
    }

    /// The same tree in another program, that knows it from a file only.
    fn moved(tree: &Tree, experiment: &Experiment) -> Tree {
        let text = serde_json::to_string(&tree.memoirs()).unwrap();
        let memoirs: Vec<Memoir> = serde_json::from_str(&text).unwrap();
        assert_eq!(memoirs, tree.memoirs());
        Tree::taken_up(experiment, Prepared::new(experiment).unwrap(), &memoirs).unwrap()
    }

    /// What both are at, without the clocks, which differ from machine to machine.
    fn ends(tree: &Tree) -> Vec<(BranchId, usize, String, f64, f64)> {
        let end = |(id, run): (BranchId, &Run)| {
            let record = run.record();
            let mixture = format!("{:?}", run.mixture());
            (id, record.step, mixture, record.objective, record.evaluations)
        };
        tree.runs().map(end).collect()
    }

    #[test]
    fn every_algorithm_goes_on_to_the_bit_where_another_program_left_it() {
        for (id, settings) in [
            ("em", vec![]),
            ("nll", vec![("optimizer", "adam")]),
            ("sm", vec![("optimizer", "momentum"), ("lr_half_life", "20")]),
            ("ssm", vec![("batch_size", "50"), ("n_slices", "2")]),
            ("dsm", vec![]),
        ] {
            let mut experiment = small(id);
            for (key, value) in settings {
                experiment.set(key, value).unwrap();
            }
            let mut tree = Tree::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
            play(&mut tree, 20);
            // A fork, and another rate on the way.
            let fork = experiment.fork(BranchId::TRUNK, 12).unwrap();
            tree.follow(&experiment).unwrap();
            play(&mut tree, 9);
            if id != "em" {
                let rate = crate::settings::Value::Number(0.01);
                experiment.settings_of(fork).set("learning_rate", rate);
                tree.follow(&experiment).unwrap();
            }
            play(&mut tree, 10);
            let mut other = moved(&tree, &experiment);
            assert_eq!(ends(&other), ends(&tree), "{id}");
            other.wake();
            assert!(other.take_news().iter().all(|(_, news)| *news != News::Forgot), "{id}");
            for tree in [&mut tree, &mut other] {
                play(tree, 15);
            }
            let more: Vec<_> = ends(&tree).into_iter().zip(ends(&other)).collect();
            assert_eq!(more.len(), 2);
            for (here, there) in more {
                assert_eq!(here, there, "{id}");
            }
            // Rewound, both begin alike, and forks of steps before are the same.
            for tree in [&mut tree, &mut other] {
                tree.rewind(Who::All).unwrap();
                play(tree, 5);
            }
            assert_eq!(ends(&tree), ends(&other), "{id}");
        }
    }

    #[test]
    fn what_cannot_be_repeated_goes_on_from_the_mixture_and_says_so() {
        let experiment = small("nll");
        let mut tree = Tree::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        play(&mut tree, 20);
        // As if another processor had computed the last step.
        let text = serde_json::to_string(&tree.memoirs()).unwrap();
        let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
        file[0]["start"] = file[0]["best"].clone();
        let k = 4 * 6;
        let numbers: crate::training::numbers::Numbers =
            serde_json::from_value(file[0]["start"].clone()).unwrap();
        let start = crate::training::numbers::Numbers(numbers.0[numbers.0.len() - k..].to_vec());
        file[0]["start"] = serde_json::to_value(start).unwrap();
        let memoirs: Vec<Memoir> = serde_json::from_value(file).unwrap();
        let prepared = Prepared::new(&experiment).unwrap();
        let mut other = Tree::taken_up(&experiment, prepared, &memoirs).unwrap();
        let _ = other.take_news();
        other.wake();
        assert_eq!(other.take_news(), [(BranchId::TRUNK, News::Forgot)]);
        play(&mut other, 1);
        assert_eq!(other.run(BranchId::TRUNK).unwrap().record().step, 21);
    }

    #[test]
    fn steps_are_repeated_by_the_clock_here_whatever_the_file_says_of_it() {
        let experiment = small("nll");
        let mut tree = Tree::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        play(&mut tree, 20);
        let mut file = serde_json::to_value(tree.memoirs()).unwrap();
        let mut numbers: Numbers = serde_json::from_value(file[0]["moments"].clone()).unwrap();
        // Seconds of the newest step, after which K = 4 components follow.
        let place = numbers.0.len() - 4 * 6 - 5;
        numbers.0[place] = 0.0;
        file[0]["moments"] = serde_json::to_value(numbers).unwrap();
        let memoirs: Vec<Memoir> = serde_json::from_value(file).unwrap();
        let prepared = Prepared::new(&experiment).unwrap();
        let mut run = Run::taken_up(&memoirs[0], &experiment, &prepared).unwrap();
        assert_eq!(run.record().seconds, 0.0);
        assert_eq!(run.wake(0.0), Ok(false));
        let mut run = Run::taken_up(&memoirs[0], &experiment, &prepared).unwrap();
        assert_eq!(run.wake(MOST_SECS_AGAIN), Ok(true));
    }

    #[test]
    fn a_long_history_is_thinned_and_keeps_its_ends_and_what_is_asked_for() {
        let mut experiment = small("em");
        experiment.set("max_iter", "1000000").unwrap();
        let mut tree = Tree::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        play(&mut tree, 300);
        let records: Vec<_> = tree.memoirs()[0].records().to_vec();
        let memoir = tree.memoirs().remove(0).thinned(50 * 240, &[137]).with_records(&records);
        let steps: Vec<usize> = memoir.moments().iter().map(|m| m.record.step).collect();
        assert!((50..=51).contains(&steps.len()), "{steps:?}");
        assert!(steps.contains(&0) && steps.contains(&137) && steps.contains(&300));
        assert!(steps.windows(2).all(|pair| (1..=7).contains(&(pair[1] - pair[0]))), "{steps:?}");
        assert_eq!(memoir.records(), records);
        let prepared = Prepared::new(&experiment).unwrap();
        let mut other = Tree::taken_up(&experiment, prepared, &[memoir]).unwrap();
        for tree in [&mut tree, &mut other] {
            play(tree, 3);
        }
        assert_eq!(ends(&tree), ends(&other));
    }

    #[test]
    fn what_is_no_memoir_says_why() {
        let experiment = small("em");
        let mut tree = Tree::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        play(&mut tree, 3);
        let good = serde_json::to_value(tree.memoirs().remove(0)).unwrap();
        let check = |field: &str, value: serde_json::Value, expected: &str| {
            let mut file = good.clone();
            file[field] = value;
            let error = serde_json::from_value::<Memoir>(file).unwrap_err().to_string();
            assert!(error.contains(expected), "{field}: {error}");
        };
        check("n_components", 5.into(), "run 1: the mixture at step 0 is none");
        check("moments", "".into(), "run 1: moments is empty");
        check("moments", "AAAAAAAA+D8=".into(), "moments has 1 numbers");
        check("records", good["moments"].clone(), "run 1: ");
        let numbers = |field: &str| -> Vec<f64> {
            let numbers: Numbers = serde_json::from_value(good[field].clone()).unwrap();
            numbers.0
        };
        let put = |field: &str, place: usize, number: f64| {
            let mut all = numbers(field);
            all[place] = number;
            serde_json::to_value(Numbers(all)).unwrap()
        };
        // The last record's step, after the run's end and as no count at all.
        check("records", put("records", 18, 9.0), "records end at step 9, but the run at step 3");
        for step in [f64::NAN, 1e300, 2.5, -1.0] {
            check("records", put("records", 18, step), "a step of records is no whole number");
            check("best", put("best", 0, step), "a step of best is no whole number");
        }
        let mut beginning = good["beginning"].clone();
        beginning["lead"] = serde_json::json!([[{}, 7], [{}, usize::MAX]]);
        check("beginning", beginning, "takes over 18446744073709551615 steps, but it begins at");
        check("recent", "".into(), "recent is empty");
        check("past", serde_json::json!([[{}, 7]]), "7 steps were taken, but it is 3 steps");
    }
}

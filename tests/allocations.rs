//! How often memory is asked for, which a busy machine cannot change: not at all in kernels and EM, and as often for
//! many points as for few where burn's tensors are made.

use std::sync::Arc;

use allocation_counter::measure;
use scorescope::algorithms::ALGORITHMS;
use scorescope::model::{CovarianceType, Parameters};
use scorescope::objectives::{Batch, Evaluation, OBJECTIVES};
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;
use scorescope::training::{Experiment, Moment, Prepared, Record, Run, TIMELINE_BYTES, Timeline};

fn run(id: &str, point_count: usize) -> Run {
    let mut experiment = Experiment::default();
    experiment.choose_algorithm(id);
    experiment.set("n_samples", &point_count.to_string()).unwrap();
    experiment.set("n_components", "7").unwrap();
    Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap()
}

/// Inside pools of one and two threads. What is counted is the calling thread.
fn in_pools(test: impl Fn() + Sync) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&test);
    }
}

#[test]
fn kernels_allocate_nothing() {
    in_pools(|| {
        let run = run("em", 3_000);
        let parameters = Parameters::of(run.mixture(), CovarianceType::Full, 1e-4);
        let points = &run.prepared().dataset.train;
        for info in OBJECTIVES {
            let mut rng = generator(0, Purpose::Slices);
            let objective = (info.prepare)(&Settings::default(), &mut rng);
            let mut evaluation = Evaluation::default();
            let mut evaluate = || {
                objective.evaluate_into(&parameters, Batch::all(points), &mut evaluation);
            };
            evaluate();
            evaluate();
            let counted = measure(evaluate);
            assert_eq!(counted.count_total, 0, "{}", info.id);
        }
    });
}

#[test]
fn a_step_of_em_allocates_nothing() {
    in_pools(|| {
        let mut run = run("em", 3_000);
        for _ in 0..20 {
            run.step().unwrap();
        }
        let counted = measure(|| {
            run.step().unwrap();
        });
        assert_eq!(counted.count_total, 0);
    });
}

#[test]
fn a_timeline_takes_no_more_memory_than_it_says() {
    let mut experiment = Experiment::default();
    experiment.set("n_components", "100").unwrap();
    experiment.set("init_params", "random_from_data").unwrap();
    let prepared = Prepared::new(&experiment).unwrap();
    let number = prepared.start.weights()[0];
    let counted = measure(|| {
        let mut timeline = Timeline::default();
        for step in 0..20_000 {
            let record = Record {
                step,
                seconds: 0.0,
                evaluations: 0.0,
                objective: number,
                train_nll: number,
                val_nll: number,
            };
            timeline.push(Moment { record, mixture: Arc::new((*prepared.start).clone()) });
        }
        assert!(timeline.len() < 20_000);
    });
    let most = counted.bytes_max as usize;
    assert!(most <= TIMELINE_BYTES && most > TIMELINE_BYTES / 2, "{most} bytes");
}

#[test]
fn a_step_of_gradient_descent_allocates_as_much_for_many_points_as_for_few() {
    in_pools(|| {
        for info in ALGORITHMS.iter() {
            let counts = [200, 4_000].map(|point_count| {
                let mut run = run(info.id, point_count);
                for _ in 0..20 {
                    run.step().unwrap();
                }
                let counted = measure(|| {
                    run.step().unwrap();
                });
                (counted.count_total, counted.bytes_total)
            });
            assert_eq!(counts[0], counts[1], "{}", info.id);
            // Else nothing was counted.
            assert_eq!(counts[0].0 > 0, info.id != "em", "{}", info.id);
        }
    });
}

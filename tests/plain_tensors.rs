//! The fused kernels against the same objectives written as plain burn tensors and differentiated by burn's autodiff
//! (`scorescope::algorithms::plain`), which share nothing with them.

#[path = "support/theta.rs"]
mod theta;

use scorescope::algorithms::plain;
use scorescope::objectives::{
    Batch, Evaluation, NegativeLogLikelihood, Objective, ScoreMatching, Sliced,
};

/// How far a number may be from its reference, relative to the largest of its block.
const TOLERANCE: f64 = 1e-12;

#[track_caller]
fn check(what: &str, got: &[f64], reference: &[f64], scale: f64) {
    assert_eq!(got.len(), reference.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(reference).enumerate() {
        let error = (got - want).abs() / scale;
        assert!(error <= TOLERANCE, "{what}[{i}]: {got:e}, not {want:e}; relative error {error:e}");
    }
}

/// Compares value, log-likelihood and gradient.
#[track_caller]
fn compare(what: &str, got: &Evaluation, plain: &Evaluation) {
    for (number, got, want) in [
        ("value", got.value, plain.value),
        ("likelihood", got.log_likelihood, plain.log_likelihood),
    ] {
        check(&format!("{what}: {number}"), &[got], &[want], want.abs().max(1.0));
    }
    let (got, plain) = (&got.gradient, &plain.gradient);
    for (block, got, want) in [
        ("logits", &got.logits[..], &plain.logits[..]),
        ("means", got.means.as_flattened(), plain.means.as_flattened()),
        ("factors", &got.factors, &plain.factors),
    ] {
        let largest = want.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
        check(&format!("{what}: {block}"), got, want, largest.max(1e-3));
    }
}

#[test]
fn kernels_agree_with_plain_tensors() {
    for seed in 0..4 {
        for component_count in [1, 2, 5, 12] {
            for floor in [0.0, 1e-4, 0.05] {
                let theta = theta::parameters(component_count, floor, seed);
                // Not a multiple of the points that the kernels take at a time, and more than one of their chunks.
                let points = theta::points(601, seed);
                let slices = theta::slices(points.len(), 3, seed);
                let batch = Batch::all(&points);
                let what = |id| format!("{id}, seed {seed}, K = {component_count}, floor {floor}");
                compare(
                    &what("nll"),
                    &NegativeLogLikelihood.evaluate(&theta, batch),
                    &plain::negative_log_likelihood(&theta, &points),
                );
                compare(
                    &what("sm"),
                    &ScoreMatching.evaluate(&theta, batch),
                    &plain::score_matching(&theta, &points),
                );
                compare(
                    &what("ssm"),
                    &Sliced::new(slices.iter().map(|v| &v[..])).evaluate(&theta, batch),
                    &plain::sliced(&theta, &points, &slices),
                );
            }
        }
    }
}

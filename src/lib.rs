//! ScoreScope: watch 2D densities being learned.
//!
//! People draw or load points, choose K and an algorithm, and see a Gaussian mixture train step by step. This page
//! says how the code is laid out and why.
//!
//! # The folders, and who may use whom
//!
//! ```text
//! settings, random, lanes ─► model ─► sampling ─► data ─► objectives ─► algorithms ─► training ─► figures ─► export ─► {cli, app}
//! ```
//!
//! Read `A ─► B` as *B may use A, and whatever A may use*. `tests/architecture.rs` holds it.
//!
//! | Folder | What it is for |
//! | --- | --- |
//! | [`settings`] | One knob declared as data, where it is read; sliders, `--set`, files and `--help` are made from it. |
//! | [`random`] | The one generator type, always from a seed, one stream for each purpose. |
//! | `lanes` | Numbers computed side by side, in the widest registers that the machine has. |
//! | [`model`] | Densities on the plane: plain `f64`. Views speak to `Density`; `Mixture` is the first, `known` has more; `Truth` compares. |
//! | [`sampling`] | Walks on a density: Langevin, Metropolis, Hamiltonian, Gibbs; a [`sampling::Study`] has exact samples beside them. |
//! | [`data`] | Points and where they come from: generators, drawing tools, files. |
//! | [`objectives`] | What is minimized: fused kernels that give value and gradient in one pass over the data; and its parts, to be looked at. |
//! | [`algorithms`] | How: EM, and gradient descent with θ as burn tensors and the objective as a burn operation. |
//! | [`training`] | Experiment (all that decides a run), Run (the loop), Tree (runs that leave one another, stepped in turn), Worker (the thread), Snapshot (a picture of it), Timeline (its steps), Ensemble (many seeds), Basin and Landscape (maps over a square), Judge (steps held against the known density), Course (what a run drew at a step, drawn again), Redrawing (a step's objective with other draws), Sweep (a grid of experiments as jobs) and its Tally. |
//! | [`figures`] | Pictures as plain shapes in data coordinates; window, exporters and tests draw the same ones. |
//! | [`export`] | Figures, tables, points, models and sessions as bytes, and writing them without harm. |
//! | [`cli`] | The engine without a window: single runs, sweeps and what they come to, and the thesis as `assets/experiments/`. |
//! | `app` | The window. |
//!
//! What is absent, on purpose: the engine knows no window (egui appears under `app/` only, behind the feature `gui`);
//! burn appears under `algorithms/` only; threads start in the worker, the painter and jobs only, and rayon computes
//! in the kernels only, over fixed chunks whose sums are added in order, so that equal experiments give equal bits
//! whatever the number of threads (on one kind of processor: see `lanes`); an [`training::Ensemble`], the maps and
//! the jobs of a sweep have crews: pools of one thread each, where runs and cells are computed whole. Particles have a worker of their own, and walk
//! in groups, each with its own random numbers. Everything random takes a generator that was made from a seed.
//!
//! # One frame
//!
//! ```text
//!  worker thread                           window thread (eframe)
//!  loop {                                  App::logic      (also while hidden)
//!    command? ◄──────── Command ───────┐     1 receive: session.drain() → a Track each run; results of jobs
//!    tree.turn() ─► timelines          │   App::ui       look up the step to show: newest, best, or one of the timeline
//!    publish Arc<Snapshot> ─ board ─►  │     2 draw:    panels edit the document, push Actions; the canvas asks
//!    send Event::Run(id, news) ─────►  │                a painter for rasters and draws the newest it has
//!    wake() ─► request_repaint ─────►  │     3 act:     for action in actions { apply }
//!  }                                   └──── 4 follow:  document → Nothing | Follow | another worker
//!                                            5 remember: the undoer sees the document
//! ```
//!
//! Sliders edit the document directly; everything that is not a value (play, open, export, undo) is an `Action`.
//!
//! All views show one step, which is looked up once a frame. The timeline keeps mixtures, not copies of them, and is
//! bounded: the window locks it for a lookup, never for long.
//!
//! Events lose nothing, snapshots may skip. A new start replaces the worker, and dropping the old one ends its thread,
//! so stale results cannot arrive. Nothing over a millisecond runs in a frame: it belongs to the worker, the painter
//! or a job.
//!
//! # Runs
//!
//! An experiment has a trunk and up to five branches ([`training::Branch`]): a branch leaves a run at a step, with an
//! algorithm of its own or with components that a hand has changed. Racers are branches that leave the trunk at its start,
//! so a race is no special case. The worker follows other algorithms and branches; only another start needs another worker.
//! A branch whose parent has not come to its step waits for it; one that only differs in live settings takes over what its
//! parent remembers (momentum, what was drawn) by taking the same steps again.
//!
//! # Sessions
//!
//! A session is everything on screen in one file ([`export::keepsake`] says how it is written). Of each run it holds a
//! [`training::Memoir`]: where it began, thinned steps, and what the next step depends on. A worker that takes memoirs up
//! shows them at once, then makes the runs ready to go on: EM from the mixture alone, gradient descent by taking the same
//! steps again. The window copies the session against a crash into a folder of its own, and asks the worker for memoirs
//! between two steps; a job does the rest.
//!
//! # A step
//!
//! After every step the objective has been evaluated at the new mixture ([`algorithms::Algorithm`]), so what is shown
//! belongs together: mixture, objective and likelihood of one step. Gradient methods keep that evaluation's gradient
//! for the next step, EM its moments, so nothing is computed twice. The clock in a [`training::Record`] counts only
//! the algorithm's own computing.
//!
//! # To add something
//!
//! | To add | Write | Then |
//! | --- | --- | --- |
//! | an objective | its file in `objectives/`, with `INFO` | its two words in `objectives/mod.rs`; it then is an algorithm |
//! | a data set | its file in `data/generators/`, with `INFO` | its two words in that folder's list |
//! | a sampler | its file in `sampling/`, with `INFO` | its two words in that folder's list |
//! | a named start | an arm in `algorithms/initial.rs`, and its option in `INIT_PARAMS` | |
//! | an action | a variant in `app/action.rs`, an arm in `app/apply.rs` | |
//! | a knob | a `static` `Setting` in the file that reads it | its name in that file's list |
//! | a built-in experiment | a TOML file in `assets/experiments/` | its name in `cli/experiments.rs` |
//! | a layer of the canvas | a function in `figures/plane.rs` | a word in `Shown` and in the legend |
//! | a field in the density's place | an arm in `figures/fields.rs` | its word in `cli/extras.rs` |
//! | what an objective does with its points | its file in `figures/workings/` | its two words in that folder's `Family` |
//!
//! It then appears in menus, sliders, `scorescope list`, saved files, and in the tests that loop over the lists.

pub mod algorithms;
#[cfg(feature = "gui")]
pub mod app;
pub mod cli;
pub mod data;
pub mod export;
pub mod figures;
mod lanes;
pub mod model;
pub mod objectives;
pub mod random;
pub mod sampling;
pub mod settings;
pub mod training;

//! The help page: what is what, and all keys.

use crate::algorithms::ALGORITHMS;
use crate::app::action::Action;

/// Shows the page until it is closed.
#[expect(clippy::too_many_lines, reason = "a page of text")]
pub fn help_ui(ctx: &egui::Context, is_open: &mut bool) {
    if ctx.input(|input| input.key_pressed(egui::Key::Escape)) {
        *is_open = false;
    }
    egui::Window::new("Help")
        .collapsible(false)
        .open(is_open)
        .pivot(egui::Align2::CENTER_CENTER)
        .default_pos(ctx.content_rect().center())
        .default_size([640.0, ctx.content_rect().height() * 0.8])
        .vscroll(true)
        .show(ctx, |ui| {
            ui.heading("What am I seeing?");
            ui.label(
                "A mixture of K Gaussians learns the density that the points come from. The field of color is its \
                 density, the ellipses are its components at one and two standard deviations. Each step changes \
                 weights, means and covariances a little; the plots on the right show how well the mixture explains \
                 the points it learns from and those it never sees.",
            );
            ui.add_space(8.0);
            ui.heading("Algorithms");
            for info in &*ALGORITHMS {
                ui.label(egui::RichText::new(format!("{}  {}", info.short, info.formula)).strong());
                ui.label(info.help);
            }
            ui.add_space(8.0);
            ui.heading("Many seeds");
            ui.label(
                "The start decides much of what is found. Seeds, on the right, trains the same experiment from up \
                 to 200 starts: a curve each, mean and standard deviation over them, and how many came near the best. \
                 A click on a curve loads that very run; undo goes back.",
            );
            ui.add_space(8.0);
            ui.heading("Maps");
            ui.label(
                "The basin map starts one mean at every pixel of a square, all else equal, trains each start to its \
                 end, and colors the pixel by the optimum that it reached, by its likelihood, or by its steps. A click \
                 on a pixel loads that very start; so does a click on an optimum in the list. The loss landscape shows \
                 the objective over two directions through the step shown: a mean's place, two means' x₁, or the two \
                 main directions of the path so far; bright is low. All other parameters stay as they are at that \
                 step, and the path of the training is projected onto it.",
            );
            sampling_ui(ui);
            ui.heading("Forks and races");
            ui.label(
                "What would EM have done from here? Fork (K) lets another run leave this one at the step shown: choose \
                 its algorithm or learning rate, or drag its components, and train both. Race (R) trains EM, NLL, SM \
                 and SSM from the same start, side by side on linked canvases; a click on one chooses it. The plot \
                 compares them over steps, gradient evaluations or the milliseconds that each has computed itself; drag \
                 the stopwatch's line to see who comes to a likelihood first. The words below the canvas show the paths \
                 of the means.",
            );
            ui.add_space(8.0);
            ui.heading("Predict, then reveal");
            ui.label(
                "Click a component and press Q: drag the flag to where its mean will go, play, and see how far off it \
                 was. Press W to bet on the chosen run; the list of runs tells its place.",
            );
            ui.add_space(8.0);
            ui.heading("When training breaks");
            ui.label(
                "A component that collapses, a weight that dies, a loss or a gradient without bound: training stops at \
                 that step, the culprit is circled, a sentence says why, and buttons offer what helps. The guard can be \
                 switched off in the menu Train.",
            );
            ui.add_space(8.0);
            ui.heading("The objective taken apart");
            ui.label(
                "E opens Terms: exact score matching at the step shown, as tr ∇s and ½‖s‖² and their sum, and every \
                 training point in the color of what it adds; the ten largest are circled. F2 shows other fields in \
                 the density's place: log density, ½‖s‖², tr ∇s and their sum, blue below zero and orange above. V \
                 draws streamlines of the score. Point anywhere to read term, score, log density and responsibilities.",
            );
            ui.add_space(8.0);
            ui.heading("Workings");
            ui.label(
                "Y draws what the running objective does with its points. Sliced: the slices v of this step, and the \
                 score's part along them. Denoising: the noise from x to y, the target back, the model's score, and \
                 Σ − σ²I dashed; a button subtracts σ²I. Composite: p(x₁) along an edge and, at a cut that can be \
                 dragged, p(x₂|x₁) with a histogram of the points near it; Shift+Y swaps the order.",
            );
            ui.add_space(8.0);
            ui.heading("Drawing");
            ui.label(
                "Choose a tool on the left and drag on the canvas. The middle or right button moves the view, the \
                 wheel zooms. Every stroke can be undone.",
            );
            ui.add_space(8.0);
            ui.heading("Time");
            ui.label(
                "Drag the slider under the canvas, or in the plots on the right, to look at any step of the training; \
                 it goes on meanwhile. Play it backwards or again, and loop the part that you talk about. Play and One \
                 step at the newest step train on.",
            );
            ui.add_space(8.0);
            ui.heading("Setting the start by hand");
            ui.label(
                "Without a drawing tool, every component on the canvas is an object: drag its dot to move it, the \
                 squares to stretch it, the knob to turn it. Click it for the ring that is its weight; arrow keys then \
                 move it by a pixel, with Shift by ten, and Esc lets go of it. A double click adds a component. In the \
                 middle of training a change is a fork: another run leaves at the step shown. All numbers are under Start, Set by hand; a \
                 model that was exported as JSON can be opened as a start.",
            );
            ui.add_space(8.0);
            ui.heading("Files");
            ui.label(
                "Ctrl+S saves the session: everything on screen in one file, the points of a data file with it, so that \
                 it opens on another machine at the same step and trains on from there. Ctrl+O opens sessions, points, \
                 pictures, experiments and models alike; so does dropping them on the window. Every half minute, and \
                 before other data take the place of these, the session is copied; after a crash you are offered the copy \
                 once. Save experiment as TOML writes what decides the runs as text, for `scorescope run`.",
            );
            ui.add_space(8.0);
            ui.heading("Keys");
            egui::Grid::new("keys").num_columns(2).spacing([24.0, 4.0]).striped(true).show(ui, |ui| {
                for action in Action::ALL {
                    let info = action.info();
                    let Some(shortcut) = info.shortcut else { continue };
                    ui.monospace(ctx.format_shortcut(&shortcut));
                    ui.label(info.label);
                    ui.end_row();
                }
            });
            ui.add_space(8.0);
            ui.label(egui::RichText::new(concat!("ScoreScope ", env!("CARGO_PKG_VERSION"))).weak());
        });
}

/// What the tab of the particles does.
fn sampling_ui(ui: &mut egui::Ui) {
    ui.add_space(8.0);
    ui.heading("Sampling");
    ui.label(
        "Sample, on the right, lets particles walk on the model shown or on the density that the data come \
         from: S walks or pauses, Shift+S takes one step, Shift+X starts again. X tells the step of one \
         particle slowly: its push along the score, its proposal, and if it is accepted; a click chooses the \
         particle. Beside the particles are as many exact samples; the plots tell how far both are apart, and \
         which share of the particles is at every mode.",
    );
    ui.add_space(8.0);
}

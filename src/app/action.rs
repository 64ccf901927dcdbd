//! Action: all that a user can ask for beyond values, with label, tooltip, shortcut and icon in one place. Menus,
//! buttons, keys and the help page are made from it.

use egui::{Key, KeyboardShortcut, Modifiers};
use egui_material_icons::{MaterialIcon, icons};

/// Something a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Ask for a file to open.
    Open,
    /// Stop reading a file, or filming.
    CancelReading,
    /// Save everything on screen, where it was saved before.
    SaveSession,
    /// Ask where to save everything on screen.
    SaveSessionAs,
    /// Ask where to save the experiment.
    SaveExperiment,
    /// Ask what to export and where.
    Export,
    /// Put the experiment as a command line on the clipboard.
    CopyCommandLine,
    /// Close the window.
    Quit,
    /// Take back the last change.
    Undo,
    /// Make it again.
    Redo,
    /// Remove everything drawn.
    ClearDrawing,
    /// Make the mixture that is shown the start.
    StartFromFit,
    /// Another component in the middle of the data.
    AddComponent,
    /// The selected component once more.
    CopyComponent,
    /// The selected component on the other side.
    MirrorComponent,
    /// The selected component in a row or column with another.
    AlignComponent,
    /// The selected component away.
    DeleteComponent,
    /// Start or stop stepping.
    PlayPause,
    /// One step.
    Step,
    /// Back to the start.
    Rewind,
    /// Look at the step before.
    StepBack,
    /// Play the steps that were taken, towards the start.
    PlayBackwards,
    /// Play the steps that were taken, towards the newest.
    Replay,
    /// Look at the newest step, and at those that follow.
    FollowNewest,
    /// Play a range round and round, or no longer.
    ToggleLoop,
    /// Begin that range at the step shown.
    LoopFromHere,
    /// End that range at the step shown.
    LoopToHere,
    /// Another start.
    NewStart,
    /// As fast as it goes until converged or `max_iter`.
    RunToEnd,
    /// The same experiment from many starts, in the background.
    RunSeeds,
    /// Stop them.
    CancelSeeds,
    /// Another run that leaves this one at the step shown.
    Fork,
    /// The standard algorithms from the same start.
    Race,
    /// All runs side by side, or one.
    ToggleRace,
    /// The chosen branch away.
    RemoveRun,
    /// The next run in the list.
    NextRun,
    /// The run before it.
    PreviousRun,
    /// The paths of the means, or none.
    TogglePaths,
    /// A flag where the selected component's mean will go, or none.
    Predict,
    /// A bet on the chosen run, or none.
    Bet,
    /// Where training ends from every start of one mean, in the background.
    RunBasin,
    /// The objective over two directions, in the background.
    RunLandscape,
    /// Stop the map.
    CancelMap,
    /// Let particles walk on the density, or stop them.
    Walk,
    /// One step of all particles.
    WalkStep,
    /// The next part of a particle's step.
    TellStep,
    /// The particles back to their start.
    RestartWalk,
    /// Show the best step instead of the newest, or back.
    ToggleBest,
    /// Show all of the data.
    Fit,
    /// Look closer.
    ZoomIn,
    /// Look from farther away.
    ZoomOut,
    /// Light or dark.
    ToggleTheme,
    /// Fold the side panels away, or back.
    TogglePanels,
    /// Linear or logarithmic density.
    ToggleLogDensity,
    /// The help page.
    ToggleHelp,
    /// Hold every formula to an independent computation.
    Check,
    /// The next field in the density's place.
    NextField,
    /// The field before it.
    PreviousField,
    /// Streamlines of the score, or none.
    ToggleStreamlines,
    /// The loss taken apart point by point, or the run again.
    ShowTerms,
    /// What the running objective does with its points, or nothing of it.
    ToggleWorkings,
    /// The cut of composite score matching a little to the left, or down.
    CutBack,
    /// The same to the right, or up.
    CutForward,
    /// The other coordinate first in composite score matching.
    SwapOrder,
    /// The covariances that denoising has learned, without the noise.
    SubtractNoise,
    /// The figure that was exported last on the clipboard.
    CopyFigure,
}

/// What is shown of an action.
pub struct ActionInfo {
    /// In menus and for screen readers.
    pub label: &'static str,
    /// One sentence.
    pub tooltip: &'static str,
    /// On buttons.
    pub icon: MaterialIcon,
    /// On the keyboard.
    pub shortcut: Option<KeyboardShortcut>,
}

impl Action {
    /// Those that look at steps that were trained before.
    pub const PAST: [Action; 7] = [
        Action::StepBack,
        Action::PlayBackwards,
        Action::Replay,
        Action::FollowNewest,
        Action::ToggleLoop,
        Action::LoopFromHere,
        Action::LoopToHere,
    ];

    /// All actions, in the order of the help page.
    pub const ALL: [Action; 66] = [
        Action::PlayPause,
        Action::Step,
        Action::StepBack,
        Action::PlayBackwards,
        Action::Replay,
        Action::FollowNewest,
        Action::ToggleLoop,
        Action::LoopFromHere,
        Action::LoopToHere,
        Action::Rewind,
        Action::RunToEnd,
        Action::NewStart,
        Action::RunSeeds,
        Action::CancelSeeds,
        Action::Fork,
        Action::Race,
        Action::ToggleRace,
        Action::NextRun,
        Action::PreviousRun,
        Action::RemoveRun,
        Action::TogglePaths,
        Action::Predict,
        Action::Bet,
        Action::RunBasin,
        Action::RunLandscape,
        Action::CancelMap,
        Action::Walk,
        Action::WalkStep,
        Action::TellStep,
        Action::RestartWalk,
        Action::ToggleBest,
        Action::Fit,
        Action::ZoomIn,
        Action::ZoomOut,
        Action::ToggleLogDensity,
        Action::TogglePanels,
        Action::ToggleTheme,
        Action::ToggleHelp,
        Action::Check,
        Action::Open,
        Action::CancelReading,
        Action::SaveSession,
        Action::SaveSessionAs,
        Action::SaveExperiment,
        Action::Export,
        Action::CopyCommandLine,
        Action::Undo,
        Action::Redo,
        Action::ClearDrawing,
        Action::StartFromFit,
        Action::AddComponent,
        Action::CopyComponent,
        Action::MirrorComponent,
        Action::AlignComponent,
        Action::DeleteComponent,
        Action::Quit,
        Action::NextField,
        Action::PreviousField,
        Action::ToggleStreamlines,
        Action::ShowTerms,
        Action::ToggleWorkings,
        Action::CutBack,
        Action::CutForward,
        Action::SwapOrder,
        Action::SubtractNoise,
        Action::CopyFigure,
    ];

    /// Its label, tooltip, icon and shortcut.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table, an entry an action")]
    pub fn info(self) -> ActionInfo {
        let command = |key| Some(KeyboardShortcut::new(Modifiers::COMMAND, key));
        let plain = |key| Some(KeyboardShortcut::new(Modifiers::NONE, key));
        let shift = |key| Some(KeyboardShortcut::new(Modifiers::SHIFT, key));
        let (label, tooltip, icon, shortcut) = match self {
            Action::Open => (
                "Open file…",
                "Open a session, points (CSV, TSV, NPY, a picture), an experiment (TOML) or a model to start from (JSON). Files can also be dropped on the window.",
                icons::ICON_FOLDER_OPEN,
                command(Key::O),
            ),
            Action::CancelReading => (
                "Cancel",
                "Stop reading the file, or filming; everything stays as it is.",
                icons::ICON_CANCEL,
                plain(Key::Escape),
            ),
            Action::SaveSession => (
                "Save session",
                "Save everything on screen in one file: data, drawing, runs as far as they are trained, and the view.",
                icons::ICON_SAVE,
                command(Key::S),
            ),
            Action::SaveSessionAs => (
                "Save session as…",
                "Save everything on screen in another file.",
                icons::ICON_SAVE_AS,
                Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::S)),
            ),
            Action::SaveExperiment => (
                "Save experiment as TOML…",
                "Save everything that decides the runs as a text file, for this window and for `scorescope run`.",
                icons::ICON_FILE_SAVE,
                None,
            ),
            Action::Export => (
                "Export…",
                "Save a picture, the curves, the points, samples or the model.",
                icons::ICON_IOS_SHARE,
                command(Key::E),
            ),
            Action::CopyCommandLine => (
                "Copy as command line",
                "Copy the `scorescope run` command that repeats this experiment without a window.",
                icons::ICON_TERMINAL,
                Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::C)),
            ),
            Action::Quit => ("Quit", "Close the window.", icons::ICON_CLOSE, command(Key::Q)),
            Action::Undo => {
                ("Undo", "Take back the last change or stroke.", icons::ICON_UNDO, command(Key::Z))
            }
            Action::Redo => (
                "Redo",
                "Make the change again that was taken back.",
                icons::ICON_REDO,
                Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z)),
            ),
            Action::ClearDrawing => (
                "Clear drawing",
                "Remove everything drawn; the data set below stays.",
                icons::ICON_DELETE_SWEEP,
                None,
            ),
            Action::StartFromFit => (
                "Start from this fit",
                "Make the mixture that is shown the start; undo brings the old start back.",
                icons::ICON_FLAG,
                None,
            ),
            Action::AddComponent => (
                "Add component",
                "Add a component in the middle of the data; a double click on the canvas adds one there.",
                icons::ICON_ADD_CIRCLE,
                plain(Key::A),
            ),
            Action::CopyComponent => (
                "Copy component",
                "Put a copy beside the selected component; both share its weight.",
                icons::ICON_CONTENT_COPY,
                command(Key::D),
            ),
            Action::MirrorComponent => (
                "Mirror component",
                "Move the selected component to the other side of the vertical line through the middle of the data.",
                icons::ICON_FLIP,
                plain(Key::M),
            ),
            Action::AlignComponent => (
                "Align component",
                "Bring the selected component in line with the nearest row or column of another.",
                icons::ICON_ALIGN_HORIZONTAL_CENTER,
                plain(Key::G),
            ),
            Action::DeleteComponent => (
                "Delete component",
                "Remove the selected component; the others share its weight.",
                icons::ICON_DELETE,
                plain(Key::Delete),
            ),
            Action::PlayPause => (
                "Play or pause",
                "Train step by step, or stop. From an older step it goes to the newest and trains on.",
                icons::ICON_PLAY_ARROW,
                plain(Key::Space),
            ),
            Action::Step => (
                "One step",
                "Train one step, then wait; at an older step, look at the next one.",
                icons::ICON_SKIP_NEXT,
                plain(Key::ArrowRight),
            ),
            Action::Rewind => (
                "Rewind",
                "Back to the same start, to the bit.",
                icons::ICON_SKIP_PREVIOUS,
                plain(Key::Home),
            ),
            Action::RunToEnd => (
                "Run to convergence",
                "Train as fast as it goes until the objective no longer changes (tol) or max_iter steps are done.",
                icons::ICON_FAST_FORWARD,
                plain(Key::End),
            ),
            Action::StepBack => (
                "One step back",
                "Look at the step before; nothing that was trained is lost.",
                icons::ICON_NAVIGATE_BEFORE,
                plain(Key::ArrowLeft),
            ),
            Action::PlayBackwards => (
                "Play backwards",
                "Play the training backwards from here, at the speed below, or stop.",
                icons::ICON_ARROW_BACK_2,
                shift(Key::ArrowLeft),
            ),
            Action::Replay => (
                "Play again",
                "Play the steps that were trained again, from here or else from the start, or stop.",
                icons::ICON_REPLAY,
                shift(Key::ArrowRight),
            ),
            Action::FollowNewest => (
                "Follow the newest step",
                "Look at the newest step, and at each one as it is trained.",
                icons::ICON_LAST_PAGE,
                shift(Key::End),
            ),
            Action::ToggleLoop => (
                "Loop",
                "Play a range of steps round and round: drag its ends below the slider.",
                icons::ICON_REPEAT,
                plain(Key::O),
            ),
            Action::LoopFromHere => (
                "Loop from here",
                "Begin the loop at the step shown.",
                icons::ICON_START,
                plain(Key::OpenBracket),
            ),
            Action::LoopToHere => (
                "Loop to here",
                "End the loop at the step shown.",
                icons::ICON_KEYBOARD_TAB,
                plain(Key::CloseBracket),
            ),
            Action::RunSeeds => (
                "Run many seeds",
                "Train the same experiment from many starts in the background, and compare where they end.",
                icons::ICON_STACKED_LINE_CHART,
                shift(Key::N),
            ),
            Action::CancelSeeds => (
                "Cancel many seeds",
                "Stop the runs that are on their way; those that are done stay.",
                icons::ICON_CANCEL,
                None,
            ),
            Action::Fork => (
                "Fork",
                "Let another run leave this one at the step shown: choose its algorithm or learning rate, or drag its components, and train both.",
                icons::ICON_FORK_RIGHT,
                plain(Key::K),
            ),
            Action::Race => (
                "Race EM, NLL, SM and SSM-VR",
                "Train the four algorithms from the same start on the same data, side by side and in one plot.",
                icons::ICON_FLAG_CIRCLE,
                plain(Key::R),
            ),
            Action::ToggleRace => (
                "Side by side",
                "Show all runs on linked canvases and train them in turn, or the chosen one alone.",
                icons::ICON_GRID_VIEW,
                shift(Key::R),
            ),
            Action::NextRun => (
                "Next run",
                "Look at the next run in the list.",
                icons::ICON_ARROW_DOWNWARD,
                plain(Key::PageDown),
            ),
            Action::PreviousRun => (
                "Run before",
                "Look at the run before this one in the list.",
                icons::ICON_ARROW_UPWARD,
                plain(Key::PageUp),
            ),
            Action::RemoveRun => (
                "Remove run",
                "Remove the chosen branch and those that leave it; undo brings them back.",
                icons::ICON_DELETE,
                shift(Key::Delete),
            ),
            Action::TogglePaths => (
                "Paths of the means",
                "Draw the way of every mean from the start to the step shown.",
                icons::ICON_CONVERSION_PATH,
                plain(Key::T),
            ),
            Action::Predict => (
                "Predict this mean",
                "Plant a flag where the selected component's mean will go: drag it, play, and see how far off it was.",
                icons::ICON_FLAG_2,
                plain(Key::Q),
            ),
            Action::Bet => (
                "Bet on this run",
                "Say that the chosen run will have the lowest NLL; the list of runs tells how it fares.",
                icons::ICON_TROPHY,
                plain(Key::W),
            ),
            Action::RunBasin => (
                "Run basin map",
                "Start one mean at every pixel of a square, train each to its end in the background, and color the plane by where it ends.",
                icons::ICON_MAP,
                shift(Key::B),
            ),
            Action::RunLandscape => (
                "Run loss landscape",
                "Compute the objective over two directions through the step shown, in the background, with the path of the training.",
                icons::ICON_LANDSCAPE,
                shift(Key::L),
            ),
            Action::CancelMap => (
                "Cancel map",
                "Stop computing the map; what is known stays.",
                icons::ICON_CANCEL,
                None,
            ),
            Action::Walk => (
                "Walk or pause",
                "Let particles walk on the density, beside exact samples, or stop them.",
                icons::ICON_PLAY_ARROW,
                plain(Key::S),
            ),
            Action::WalkStep => (
                "One step of the walk",
                "Move every particle by one step, then wait.",
                icons::ICON_SKIP_NEXT,
                shift(Key::S),
            ),
            Action::TellStep => (
                "Tell a step",
                "Tell one particle's step slowly, a part at a time: its push, its proposal, and if it is accepted.",
                icons::ICON_AUTO_STORIES,
                plain(Key::X),
            ),
            Action::RestartWalk => (
                "Start the walk again",
                "Put all particles back to their start; the same seed gives the same walk.",
                icons::ICON_RESTART_ALT,
                shift(Key::X),
            ),
            Action::NewStart => (
                "New start",
                "Begin again from another start: the next seed.",
                icons::ICON_CASINO,
                plain(Key::N),
            ),
            Action::ToggleBest => (
                "Show best step",
                "Show the step with the lowest validation NLL instead of the newest one.",
                icons::ICON_STAR,
                plain(Key::B),
            ),
            Action::Fit => {
                ("Fit view", "Show all of the data.", icons::ICON_FIT_SCREEN, plain(Key::F))
            }
            Action::ZoomIn => (
                "Zoom in",
                "Look closer at the middle of the canvas; Ctrl and an arrow key move the view.",
                icons::ICON_ZOOM_IN,
                plain(Key::Plus),
            ),
            Action::ZoomOut => (
                "Zoom out",
                "Look at the canvas from farther away; Ctrl and an arrow key move the view.",
                icons::ICON_ZOOM_OUT,
                plain(Key::Minus),
            ),
            Action::ToggleTheme => (
                "Light or dark",
                "Switch between the light and the dark theme.",
                icons::ICON_CONTRAST,
                plain(Key::D),
            ),
            Action::TogglePanels => (
                "Side panels",
                "Fold the side panels away, so that the canvas has the window.",
                icons::ICON_FULLSCREEN,
                plain(Key::P),
            ),
            Action::ToggleLogDensity => (
                "Logarithmic density",
                "Color the density by its logarithm, which shows its tails.",
                icons::ICON_LINE_AXIS,
                plain(Key::L),
            ),
            Action::Check => (
                "Check the formulas",
                "Hold gradients, scores, integrals and samples to independent computations, on the mixture and the points shown.",
                icons::ICON_FACT_CHECK,
                plain(Key::F9),
            ),
            Action::ToggleHelp => {
                ("Help", "What is what, and all keys.", icons::ICON_HELP, plain(Key::F1))
            }
            Action::NextField => (
                "Next field",
                "Show another field in the density's place: log density, ½‖s‖², tr ∇s or their sum.",
                icons::ICON_LAYERS,
                plain(Key::F2),
            ),
            Action::PreviousField => (
                "Field before",
                "Show the field before this one in the density's place.",
                icons::ICON_LAYERS,
                shift(Key::F2),
            ),
            Action::ToggleStreamlines => (
                "Streamlines",
                "Draw lines along the score ∇ₓ log p(x), the ways uphill.",
                icons::ICON_WAVES,
                plain(Key::V),
            ),
            Action::ShowTerms => (
                "Terms of the objective",
                "Take exact score matching apart: two bars that add up, and every point in the color of what it adds.",
                icons::ICON_BAR_CHART,
                plain(Key::E),
            ),
            Action::ToggleWorkings => (
                "Workings",
                "Draw what the running objective does with its points: slices, noise and the way back, or a marginal and a cut.",
                icons::ICON_ENGINEERING,
                plain(Key::Y),
            ),
            Action::CutBack => (
                "Cut back",
                "Move the cut of composite score matching to the left, or down, by a hundredth of the canvas.",
                icons::ICON_CHEVRON_LEFT,
                plain(Key::Comma),
            ),
            Action::CutForward => (
                "Cut forward",
                "Move the cut of composite score matching to the right, or up, by a hundredth of the canvas.",
                icons::ICON_CHEVRON_RIGHT,
                plain(Key::Period),
            ),
            Action::SwapOrder => (
                "Swap the order",
                "Let composite score matching take the other coordinate first; the run goes on with it, and undo takes it back.",
                icons::ICON_SWAP_HORIZ,
                shift(Key::Y),
            ),
            Action::SubtractNoise => (
                "Subtract σ²I",
                "Denoising has learned Σ + σ²I: let a run begin with Σ − σ²I of what is shown, the components without the noise.",
                icons::ICON_DEBLUR,
                None,
            ),
            Action::CopyFigure => (
                "Copy figure",
                "Put the figure that was exported last, or the canvas, on the clipboard as a picture.",
                icons::ICON_CONTENT_COPY,
                Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::E)),
            ),
        };
        ActionInfo { label, tooltip, icon, shortcut }
    }

    /// True if there has to be something to train or to export.
    #[must_use]
    pub fn needs_run(self) -> bool {
        use Action::{
            AddComponent, Export, NewStart, PlayPause, Rewind, RunBasin, RunLandscape, RunSeeds,
            RunToEnd, StartFromFit, Step, ToggleBest,
        };
        Action::PAST.contains(&self)
            || matches!(self, Action::Fork | Action::Race | Action::Check)
            || matches!(self, Action::Walk | Action::WalkStep | Action::CopyFigure)
            || matches!(self, Action::TellStep | Action::RestartWalk)
            || matches!(self, Action::SwapOrder | Action::SubtractNoise)
            || matches!(self, PlayPause | Step | Rewind | RunToEnd | NewStart | ToggleBest | Export)
            || matches!(self, StartFromFit | AddComponent | RunSeeds | RunBasin | RunLandscape)
            || self.needs_selection()
    }

    /// True if it is about the selected component.
    #[must_use]
    pub fn needs_selection(self) -> bool {
        use Action::{AlignComponent, CopyComponent, DeleteComponent, MirrorComponent, Predict};
        matches!(self, CopyComponent | MirrorComponent | AlignComponent | DeleteComponent | Predict)
    }

    /// The tooltip with the shortcut behind it.
    #[must_use]
    pub fn hint(self, ctx: &egui::Context) -> String {
        let info = self.info();
        match info.shortcut {
            Some(shortcut) => format!("{} ({})", info.tooltip, ctx.format_shortcut(&shortcut)),
            None => info.tooltip.to_owned(),
        }
    }
}

/// The actions whose keys were pressed. Longer shortcuts go first, or Ctrl+Shift+Z would undo. Escape is left to others
/// unless it is to cancel something.
pub fn pressed(ctx: &egui::Context, escape_cancels: bool) -> Vec<Action> {
    if ctx.egui_wants_keyboard_input() {
        return Vec::new();
    }
    let mut actions = Action::ALL.to_vec();
    actions.retain(|action| escape_cancels || *action != Action::CancelReading);
    actions.sort_by_key(|action| {
        let modifiers = action.info().shortcut.map(|shortcut| shortcut.modifiers);
        std::cmp::Reverse(modifiers.map_or(0, |m| u8::from(m.shift) + u8::from(m.command)))
    });
    actions
        .into_iter()
        .filter(|action| {
            let shortcut = action.info().shortcut;
            shortcut
                .is_some_and(|shortcut| ctx.input_mut(|input| input.consume_shortcut(&shortcut)))
        })
        .collect()
}

/// A menu entry for an action; pushes it when clicked.
pub fn menu_item_ui(
    ui: &mut egui::Ui,
    action: Action,
    is_enabled: bool,
    actions: &mut Vec<Action>,
) {
    let info = action.info();
    let mut button = egui::Button::new(info.label);
    if let Some(shortcut) = info.shortcut {
        button = button.shortcut_text(ui.ctx().format_shortcut(&shortcut));
    }
    if ui.add_enabled(is_enabled, button).on_hover_text(info.tooltip).clicked() {
        actions.push(action);
        ui.close();
    }
}

/// A button with an action's icon; pushes the action when clicked.
pub fn icon_button_ui(
    ui: &mut egui::Ui,
    action: Action,
    size: f32,
    is_enabled: bool,
    actions: &mut Vec<Action>,
) -> egui::Response {
    state_button_ui(ui, action, action.info().icon, size, is_enabled, actions)
}

/// The same with an icon that shows what the action would do now.
pub fn state_button_ui(
    ui: &mut egui::Ui,
    action: Action,
    icon: MaterialIcon,
    size: f32,
    is_enabled: bool,
    actions: &mut Vec<Action>,
) -> egui::Response {
    let button = egui::Button::new(icon.rich_text().size(size)).frame_when_inactive(false);
    let response = ui.add_enabled(is_enabled, button);
    let label = action.info().label;
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, is_enabled, label));
    let response = response.on_hover_text(action.hint(ui.ctx()));
    if response.clicked() {
        actions.push(action);
    }
    response
}

//! Reads arguments; opens the window or hands over to `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    match scorescope::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scorescope: {error:#}");
            ExitCode::FAILURE
        }
    }
}

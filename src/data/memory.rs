//! Memory: how much the machine can give, and the refusal of what would need more.

use std::path::Path;

/// What a point costs at most until it is trained on: as it was read, shuffled, split and scaled, 16 bytes each.
pub const BYTES_PER_POINT: u64 = 48;

/// True if the system says what it has.
const IS_KNOWN: bool = cfg!(target_os = "linux");

/// Where the system does not say what it has: what every machine with a window can give.
const WHEN_UNKNOWN: u64 = 4 << 30;

/// More memory than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("would need {} of memory, and {}", in_words(*.needed), offer(*.available, IS_KNOWN))]
pub struct Shortage {
    /// Bytes.
    pub needed: u64,
    /// Bytes.
    pub available: u64,
}

/// Refuses what would need more bytes than there are. Call it before anything is allocated.
///
/// # Errors
/// [`Shortage`] if more is needed than available.
pub fn check(needed: u64, available: u64) -> Result<(), Shortage> {
    if needed > available { Err(Shortage { needed, available }) } else { Ok(()) }
}

/// Bytes that so many points cost at most.
#[must_use]
pub fn of_points(count: u64) -> u64 {
    count.saturating_mul(BYTES_PER_POINT)
}

/// How many bytes this program can still allocate: the least of what Linux has left, of what the control groups of a
/// container allow, and of `ulimit -v`. Elsewhere 4 GiB.
#[must_use]
pub fn available() -> u64 {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let free = read(Path::new("/proc/meminfo")).and_then(|text| kibibytes(&text, "MemAvailable:"));
    let Some(free) = free else { return WHEN_UNKNOWN };
    let limits = read(Path::new("/proc/self/limits")).unwrap_or_default();
    let used = read(Path::new("/proc/self/status")).and_then(|text| kibibytes(&text, "VmSize:"));
    let addresses =
        address_limit(&limits).map(|limit| limit.saturating_sub(used.unwrap_or_default()));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let left_in_groups = groups
        .lines()
        .flat_map(group_folders)
        .filter_map(|folder| left_in_group(|name| read(&Path::new(&folder).join(name))))
        .min();
    free.min(addresses.unwrap_or(u64::MAX)).min(left_in_groups.unwrap_or(u64::MAX))
}

/// The bytes in a line such as `MemAvailable:   23522 kB`.
fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The soft limit in `/proc/self/limits`; `None` where it is unlimited.
fn address_limit(limits: &str) -> Option<u64> {
    let rest = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The folders that hold the limits of a line of `/proc/self/cgroup`: the group's own and those above it.
fn group_folders(line: &str) -> Vec<String> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { return Vec::new() };
    let root = match controllers {
        "" => "/sys/fs/cgroup",
        _ if controllers.split(',').any(|name| name == "memory") => "/sys/fs/cgroup/memory",
        _ => return Vec::new(),
    };
    let above = Path::new(path).ancestors();
    above.map(|group| format!("{root}{}", group.display())).collect()
}

/// What a control group still allows. Pages of files count as used there, but are given back when they are needed.
fn left_in_group(read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let number = |names: [&str; 2]| {
        let text = names.into_iter().find_map(&read)?;
        text.trim().parse::<u64>().ok()
    };
    // Version 2 of control groups, then version 1; "max" is no number, and no limit.
    let limit = number(["memory.max", "memory.limit_in_bytes"])?;
    let used = number(["memory.current", "memory.usage_in_bytes"])?;
    let stat = read("memory.stat").unwrap_or_default();
    let file = |key| stat.lines().find_map(|line| line.strip_prefix(key));
    let file = file("total_inactive_file ").or_else(|| file("inactive_file "));
    let file = file.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(file)))
}

/// How much there is, in words that are true: where nobody knows, we stop at some limit of our own.
fn offer(available: u64, is_known: bool) -> String {
    let available = in_words(available);
    if is_known {
        format!("only {available} can be had")
    } else {
        format!("at most {available} are used")
    }
}

/// Bytes as people say them: `4.8 TB`.
#[must_use]
pub fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    // Two digits that count.
    let digits = usize::from(value < 9.95);
    format!("{value:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_more_than_there_is_is_refused_with_both_numbers() {
        assert_eq!(check(100, 100), Ok(()));
        let shortage = check(of_points(100_000_000_000), 21_400_000_000).unwrap_err();
        let expected =
            format!("would need 4.8 TB of memory, and {}", offer(21_400_000_000, IS_KNOWN));
        assert_eq!(shortage.to_string(), expected);
        assert_eq!(offer(21_400_000_000, true), "only 21 GB can be had");
        assert_eq!(offer(WHEN_UNKNOWN, false), "at most 4.3 GB are used");
        assert!(check(of_points(u64::MAX), u64::MAX - 1).is_err());
    }

    #[test]
    fn bytes_are_said_in_words() {
        let check = |bytes, expected: &str| assert_eq!(in_words(bytes), expected);
        check(0, "0.0 kB");
        check(48_000_000, "48 MB");
        check(999_400_000, "999 MB");
        check(999_600_000, "1.0 GB");
        check(u64::MAX, "18 EB");
    }

    #[test]
    fn the_systems_own_words_are_read() {
        let meminfo = "MemTotal:       24683520 kB\nMemAvailable:   24086528 kB\n";
        assert_eq!(kibibytes(meminfo, "MemAvailable:"), Some(24_086_528 * 1024));
        assert_eq!(kibibytes("MemAvailable: much\n", "MemAvailable:"), None);
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max address space         2097152000           unlimited            bytes\n";
        assert_eq!(address_limit(limits), Some(2_097_152_000));
        assert_eq!(address_limit(&limits.replace("2097152000", "unlimited")), None);
        let own = group_folders("0::/user.slice/app");
        let expected = ["/user.slice/app", "/user.slice", "/"];
        assert_eq!(own, expected.map(|group| format!("/sys/fs/cgroup{group}")));
        assert_eq!(group_folders("4:cpu,memory:/"), ["/sys/fs/cgroup/memory/"]);
        assert!(group_folders("3:cpuset:/").is_empty());
        assert!(group_folders("rubbish").is_empty());
    }

    #[test]
    fn a_group_allows_what_is_not_used_but_for_files() {
        let check = |files: &[(&str, &str)], expected: Option<u64>| {
            let read = |name: &str| {
                let found = files.iter().find(|(known, _)| *known == name);
                found.map(|(_, text)| (*text).to_owned())
            };
            assert_eq!(left_in_group(read), expected, "{files:?}");
        };
        let stat = ("memory.stat", "anon 100\ninactive_file 300\nactive_file 5\n");
        check(&[("memory.max", "1000\n"), ("memory.current", "700\n"), stat], Some(600));
        check(&[("memory.max", "1000\n"), ("memory.current", "1700\n")], Some(0));
        check(&[("memory.max", "max\n"), ("memory.current", "700\n")], None);
        let first = ("memory.limit_in_bytes", "900\n");
        check(&[first, ("memory.usage_in_bytes", "400\n")], Some(500));
        check(&[], None);
    }

    #[test]
    fn this_machine_has_some_and_no_more_than_it_has() {
        let had = available();
        assert!(had > 1 << 20, "{had}");
        if IS_KNOWN {
            let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap();
            assert!(had <= kibibytes(&meminfo, "MemTotal:").unwrap(), "{had}");
        } else {
            assert_eq!(had, WHEN_UNKNOWN);
        }
    }
}

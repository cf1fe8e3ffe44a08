//! How much memory to work with. It is asked of whoever would hold many rows at once: they take them in lots.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Bytes of memory to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(u64);

/// Units as users write them; 1 kB is 1000 bytes, 1 KiB 1024.
const UNITS: [(&str, u64); 6] =
    [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Taken for the machine's where the system does not tell.
const UNKNOWN_MACHINE: u64 = 4 << 30;

impl Memory {
    /// With less nothing can be done: reading and writing alone take about as much.
    pub const LEAST: Memory = Memory(256_000_000);

    /// So many bytes.
    pub const fn of_bytes(bytes: u64) -> Self {
        Memory(bytes)
    }

    /// Half of what this process may have: of the machine's memory, or of what its control group (a container) allows.
    pub fn of_machine() -> Self {
        static HALF: OnceLock<Memory> = OnceLock::new();
        *HALF.get_or_init(|| {
            let read = |path: &str| std::fs::read_to_string(path).ok();
            let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].map(&read);
            Memory(available(read("/proc/meminfo").as_deref(), &groups) / 2).max(Memory::LEAST)
        })
    }

    /// Bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// An equal part of it.
    pub fn part(self, of: usize) -> Self {
        Memory(self.0 / (of as u64).max(1))
    }

    /// What rows that are held may take. The rest is for reading and writing, which go on meanwhile.
    pub fn to_hold(self) -> Self {
        self.part(2)
    }

    /// How to write a size of which half holds so many bytes, e.g. `2.5GB`.
    pub fn that_holds(bytes: u64) -> String {
        Memory(bytes.saturating_mul(2).checked_next_multiple_of(500_000_000).unwrap_or(u64::MAX))
            .to_string()
            .replace(' ', "")
    }

    /// How many rows can be held that take `width` bytes each, but no more than `most`.
    pub fn rows_at_once(self, width: u64, most: u64) -> u64 {
        (self.to_hold().0 / width.max(1)).clamp(1, most)
    }

    /// In how many lots to take `rows`, so that those of one lot can be held.
    pub fn lots(self, rows: u64, width: u64, most: u64) -> u64 {
        rows / self.rows_at_once(width, most) + 1
    }
}

impl FromStr for Memory {
    type Err = String;

    /// A number and its unit: `2GB`, `1.5 GiB`.
    fn from_str(text: &str) -> Result<Self, String> {
        let memory = Memory(bytes_of(text)?);
        if memory < Memory::LEAST {
            return Err(format!("{memory} is too little to work with; at least {}", Memory::LEAST));
        }
        Ok(memory)
    }
}

impl fmt::Display for Memory {
    /// In the greatest unit that fits, e.g. `1.5 GB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = UNITS[..3].iter().rfind(|(_, factor)| self.0 >= *factor).unwrap_or(&UNITS[0]);
        let tenths = (self.0 as f64 / *factor as f64 * 10.0).round() / 10.0;
        write!(f, "{tenths} {unit}")
    }
}

/// The most memory that this process has had at a time, in bytes; `None` where the system does not tell (only Linux
/// does). See proc_pid_status(5), VmHWM.
pub fn peak() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Reads a size: `64MB`, `1.5 GiB`.
///
/// # Errors
/// How a size is written.
pub fn bytes_of(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<f64>().ok(), text[end..].trim());
    let factor = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor);
    let size = number.zip(factor).map(|(number, factor)| (number * factor as f64) as u64);
    size.ok_or_else(|| "a number and kB, MB, GB, KiB, MiB or GiB, e.g. 2GB".to_owned())
}

/// The least of what the machine has and what its control groups allow.
fn available(meminfo: Option<&str>, groups: &[Option<String>]) -> u64 {
    let total = meminfo.and_then(|text| kilobytes(text, "MemTotal:"));
    let limits = groups.iter().flatten().filter_map(|text| text.trim().parse::<u64>().ok()).filter(|limit| *limit > 0);
    limits.chain(total).min().unwrap_or(UNKNOWN_MACHINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let bytes = |text: &str| text.parse::<Memory>().map(Memory::bytes);
        assert_eq!(bytes("2GB"), Ok(2_000_000_000));
        assert_eq!(bytes(" 1.5 GiB "), Ok(3 << 29));
        assert_eq!(bytes("512mib"), Ok(512 << 20));
        assert_eq!(bytes("300000kB"), Ok(300_000_000));
        assert_eq!(bytes("262144 KiB"), Ok(1 << 28));
        for wrong in ["", "GB", "2", "2G", "2 bytes", "1.2.3GB", "-2GB", "2GB!"] {
            assert!(bytes(wrong).is_err_and(|why| why.starts_with("a number and ")), "{wrong}");
        }
        assert_eq!(bytes("255MB"), Err("255 MB is too little to work with; at least 256 MB".to_owned()));
        assert_eq!(bytes("256MB"), Ok(Memory::LEAST.bytes()));
    }

    #[test]
    fn sizes_are_told_in_the_greatest_unit() {
        let told = |bytes| Memory::of_bytes(bytes).to_string();
        assert_eq!(
            [told(2_000_000_000), told(1_550_000_000), told(64 << 20), told(12)],
            ["2 GB", "1.6 GB", "67.1 MB", "0 kB"]
        );
    }

    #[test]
    fn a_container_may_have_less_than_the_machine() {
        let machine = Some("MemTotal:       24576000 kB\nMemFree:         1000000 kB\n");
        let group = |text: &str| [Some(text.to_owned()), None];
        assert_eq!(available(machine, &group("max\n")), 24_576_000 << 10);
        assert_eq!(available(machine, &group("1073741824\n")), 1 << 30);
        assert_eq!(available(machine, &group("9223372036854771712\n")), 24_576_000 << 10);
        assert_eq!(available(None, &[None, None]), UNKNOWN_MACHINE);
    }

    #[test]
    fn the_peak_is_read_where_the_system_tells() {
        assert_eq!(kilobytes("VmPeak:\t  10 kB\nVmHWM:\t   2048 kB\n", "VmHWM:"), Some(2 << 20));
        assert_eq!(kilobytes("VmHWM: much", "VmHWM:"), None);
        assert!(!cfg!(target_os = "linux") || peak() > Some(1 << 20));
    }

    #[test]
    fn what_would_do_is_told_in_round_numbers() {
        assert_eq!(Memory::that_holds(600_000_000), "1.5GB");
        assert_eq!(Memory::that_holds(1), "500MB");
        assert_eq!(Memory::that_holds(1_000_000_000), "2GB");
    }

    #[test]
    fn rows_are_taken_in_as_many_lots_as_they_need() {
        let memory = Memory::of_bytes(2_000);
        assert_eq!(memory.lots(0, 10, 1_000), 1);
        assert_eq!(memory.lots(99, 10, 1_000), 1);
        assert_eq!(memory.lots(1_000, 10, 1_000), 11);
        assert_eq!(memory.lots(1_000, 10, 10), 101);
        assert_eq!(memory.lots(5, u64::MAX, 1_000), 6);
    }
}

//! A cpuset for this process alone, to be changed while it runs.

use std::fs;
use std::path::{Path, PathBuf};

/// A cpuset cgroup (version 1) with this process in it. Dropped, it is removed.
pub(crate) struct Cpuset {
    parent: PathBuf,
    own: PathBuf,
}

impl Cpuset {
    /// Moves this process, which has to be one made for the test, into a new cpuset with these CPUs.
    ///
    /// # Errors
    /// Says why this cannot be done here.
    pub(crate) fn enter(cpus: &[usize]) -> Result<Self, String> {
        let mounts = fs::read_to_string("/proc/mounts").map_err(|error| error.to_string())?;
        let mount = mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (place, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
            (kind == "cgroup" && options.split(',').any(|option| option == "cpuset"))
                .then_some(place)
        });
        let mount = mount.ok_or("no cpuset of cgroup v1 is mounted")?;
        let path = fs::read_to_string("/proc/self/cpuset").map_err(|error| error.to_string())?;
        let parent = Path::new(mount).join(path.trim().trim_start_matches('/'));
        let own = parent.join(format!("executor-test-{}", std::process::id()));
        fs::create_dir(&own).map_err(|error| format!("making a cpuset: {error}"))?;
        let cpuset = Self { parent, own };
        cpuset.set(cpus);
        let memory = fs::read(cpuset.parent.join("cpuset.mems")).unwrap();
        fs::write(cpuset.own.join("cpuset.mems"), memory).unwrap();
        move_to(&cpuset.own);
        Ok(cpuset)
    }

    /// From now on it has these CPUs.
    pub(crate) fn set(&self, cpus: &[usize]) {
        let list: Vec<String> = cpus.iter().map(usize::to_string).collect();
        fs::write(self.own.join("cpuset.cpus"), list.join(",")).unwrap();
    }
}

fn move_to(directory: &Path) {
    fs::write(
        directory.join("cgroup.procs"),
        std::process::id().to_string(),
    )
    .unwrap();
}

impl Drop for Cpuset {
    fn drop(&mut self) {
        move_to(&self.parent);
        fs::remove_dir(&self.own).unwrap();
    }
}

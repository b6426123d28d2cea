// SPDX-License-Identifier: GPL-2.0
//! Keys that there are not: what other programs and files call the same, and what was mistyped.
//!
//! The names are those of vgpuConfig.xml (as xapi-project's xen-api reads it), of NVIDIA's header
//! `ctrla081.h`, of the mdev file `description`, of `nvidia-smi vgpu` and NVML, and of this project's
//! own status. They are compared without case, hyphens and underscores.

use vgpu_unlock::profile::Key;

/// What is meant by a name of somebody else's, and how that differs.
const OTHERS: &[(&[&str], &str)] = &[
    (
        &[
            "frl",
            "framerate",
            "framerates",
            "fps",
            "maxfps",
            "fpslimit",
            "frllimit",
            "frlrate",
            "frlfps",
            "refreshrate",
        ],
        "frl_config is the rate, frl_enabled switches the limiter",
    ),
    (
        &["framelimit", "framelimiter", "frameratelimit", "frameratelimiter", "frlenable", "vsync"],
        "frl_enabled switches the limiter, frl_config is the rate",
    ),
    (&["vgpuname", "name", "profilename", "typename"], "card_name"),
    (
        &["gpuname", "adapter", "displayname", "devicename"],
        "adapter_name, or card_name for the type's",
    ),
    (&["vgpuclass", "class", "typeclass"], "vgpu_type"),
    (&["vgputypeid", "vgpuid", "typeid", "type", "mdevtype", "gputypeid", "id"], "gpu_type"),
    (&["eccenabled", "ecc", "eccmode", "eccsupport", "enableecc"], "ecc_supported"),
    (&["cuda", "cudasupported", "enablecuda", "cudasupport", "compute"], "cuda_enabled"),
    (
        &[
            "profilesize",
            "fb",
            "fbsize",
            "fbtotal",
            "fbmemory",
            "framebuffersize",
            "size",
            "memory",
            "memorysize",
            "mem",
            "videomemory",
            "vidmem",
            "vramsize",
            "videoram",
            "vramallocation",
            "gpumemory",
            "framebuffermemory",
            "vrammb",
            "vrammib",
            "vramgb",
            "vramgib",
            "fbmb",
            "framebuffermb",
            "framebuffergb",
            "vramtotal",
            "totalvram",
            "totalmemory",
        ],
        "framebuffer is what the guest has of it, vram is the whole",
    ),
    (&["fblength", "fblen"], "framebuffer"),
    (
        &[
            "fbreservation",
            "reservation",
            "fbreserved",
            "reserved",
            "framebufferreserved",
            "framebufferreserve",
            "hostreservation",
        ],
        "framebuffer_reservation",
    ),
    (&["mappable", "mappablevideo", "mappablesize", "mappablevideomemory"], "mappable_video_size"),
    (
        &[
            "numheads",
            "heads",
            "displays",
            "maxdisplays",
            "displayheads",
            "displaycount",
            "monitors",
            "nummonitors",
        ],
        "num_displays",
    ),
    (&["maxresolutionx", "maxx", "xres", "width", "maxwidth", "resolutionx"], "display_width"),
    (&["maxresolutiony", "maxy", "yres", "height", "maxheight", "resolutiony"], "display_height"),
    (
        &["maxresolution", "resolution", "display", "displayresolution", "displaysize"],
        "display_width and display_height, each a number, and max_pixels",
    ),
    (&["pixels", "numpixels", "totalpixels"], "max_pixels"),
    (
        &[
            "maxvgpus",
            "maxvgpu",
            "instances",
            "numinstances",
            "availableinstances",
            "vgpusperboard",
        ],
        "max_instances",
    ),
    (&["multivgpu", "multiplevgpu", "multiplevgpus"], "multi_vgpu_supported"),
    (&["gpuinstancesize", "giprofileid", "mig", "migsize", "migprofile"], "mig_instance_size"),
    (&["vdevid", "vdeviceid", "guestpciid", "pciids"], "pci_id"),
    (&["pdevid", "pdeviceid", "boardpciid"], "pci_device_id"),
    (
        &["deviceid", "devid", "subsystemid", "subsysid", "subsystemdeviceid", "pcisubsystemid"],
        "pci_id has both of what the guest sees, 0xDDDDSSSS; pci_device_id has the board's device ID",
    ),
    (&["encoder", "encodercapability", "enccapacity", "encodercap"], "encoder_capacity"),
    (&["bar1", "bar1size", "bar1len", "barlength", "barsize"], "bar1_length"),
    (&["shortgpunamestring", "gpushortname", "shortname", "chipname"], "short_gpu_name"),
    (&["licensedproductname", "licensedproduct", "productname", "product"], "license_type"),
    (&["license", "licence", "licensefeatures", "vgpulicense"], "features"),
    (&["hide", "disabled", "invisible"], "hidden"),
];

/// Fields that no key changes.
const FIXED: &[&str] = &[
    "gspheapsize",
    "vgpusignature",
    "gpudirectsupported",
    "nvlinkp2psupported",
    "multivgpuexclusive",
    "exclusivetype",
    "exclusivesize",
    "maxinstancepergi",
    "vgpuextraparams",
    "ftraceenable",
    "vendorid",
    "subsystemvendorid",
    "migrationsupported",
];

/// What NVIDIA's driver takes from `vgpu_params` of an mdev device.
const PARAMS: &[&str] =
    &["disablevnc", "enableuvm", "enabledebugging", "enableprofiling", "vgpuparams"];

/// What is said about a key that there is not.
pub fn unknown(name: &str) -> String {
    let hint = match plain(name).as_str() {
        // The same word is text here and a number there.
        "vgputype" if name != Key::VgpuType.name() => {
            ": vgpu_type is the class, as text; gpu_type is the number".to_owned()
        }
        word if PARAMS.contains(&word) => {
            ": NVIDIA's driver takes it from nvidia/vgpu_params of the mdev device".to_owned()
        }
        word if FIXED.contains(&word) => ": no key changes that".to_owned(),
        "unlock" | "unlockmigration" | "pciinfomap" => {
            ": that is a key of config.toml, in front of its first section".to_owned()
        }
        word => match OTHERS.iter().find(|(names, _)| names.contains(&word)) {
            Some((_, key)) if key.contains(' ') => format!(": {key}"),
            Some((_, key)) => format!(": the key is {key}"),
            None => nearest(name, &Key::ALL.map(Key::name)),
        },
    };
    format!("{name} is ignored, there is no such key{hint}; vgpu_unlock-rs ignores it too")
}

/// The keys that a name stands for, or may have been meant as.
pub fn meant(name: &str) -> Option<Key> {
    let word = plain(name);
    let same = |key: &Key| plain(key.name()) == word;
    let others = OTHERS.iter().find(|(names, _)| names.contains(&word.as_str()));
    Key::ALL.into_iter().find(same).or_else(|| Key::find(others?.1.as_bytes()))
}

/// Without what people write differently: case, and what stands between words.
pub fn plain(name: &str) -> String {
    let between = |c: &char| matches!(c, '_' | '-' | '.') || c.is_whitespace();
    name.chars().filter(|c| !between(c)).flat_map(char::to_lowercase).collect()
}

/// `: is … meant?` with those of `words` that are really near: a slip in four letters at most, and
/// none as near that is not named.
pub fn nearest(name: &str, words: &[&str]) -> String {
    let found = plain(name);
    // No key is nearly as long, and a file may be of any size.
    if found.len() > 64 {
        return String::new();
    }
    let far = |word: &&str| distance(&found, &plain(word));
    let Some(least) = words.iter().map(far).min() else { return String::new() };
    let limit = (found.chars().count() / 4).clamp(1, 3);
    let near: Vec<&str> =
        words.iter().filter(|word| far(word) == least && least <= limit).copied().collect();
    match near[..] {
        [] => String::new(),
        _ => format!(": is {} meant?", near.join(" or ")),
    }
}

/// How many characters must be changed, added, taken away or exchanged with the next to make `b` of
/// `a`, none of them twice.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_call_it_is_not_said_of_our_own_keys() {
        let names = OTHERS.iter().flat_map(|(names, _)| names.iter()).chain(FIXED).chain(PARAMS);
        let mut seen = Vec::new();
        for name in names {
            assert_eq!(*name, plain(name));
            assert!(!Key::ALL.iter().any(|key| plain(key.name()) == **name), "{name}");
            assert!(!seen.contains(&name), "{name} stands twice");
            seen.push(name);
        }
        for (_, keys) in OTHERS {
            let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            assert!(keys.split(word).any(|word| Key::find(word.as_bytes()).is_some()), "{keys}");
        }
    }

    #[test]
    fn names_of_others_get_the_right_key() {
        for (name, said) in [
            ("frl", "frl_config is the rate, frl_enabled"),
            ("vgpu_name", "the key is card_name"),
            ("ecc_enabled", "the key is ecc_supported"),
            ("profileSize", "framebuffer is what the guest has of it, vram is the whole"),
            ("fbReservation", "the key is framebuffer_reservation"),
            ("numHeads", "the key is num_displays"),
            ("max_instance", "is max_instances meant?"),
            ("max_resolution", "display_width and display_height"),
            ("vgpuType", "gpu_type is the number"),
            ("vdevId", "the key is pci_id"),
            ("gspHeapSize", "no key changes that"),
            ("disable_vnc", "vgpu_params"),
            ("unlock", "config.toml"),
        ] {
            let text = unknown(name);
            assert!(text.contains(said), "{name}: {text}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        for (name, meant) in [
            ("num_display", "num_displays"),
            ("display_widht", "display_width"),
            ("Cuda_Enabled", "cuda_enabled"),
            ("max-pixels", "max_pixels"),
            ("maxPixels", "max_pixels"),
            ("framebufer", "framebuffer"),
            ("licence_type", "license_type"),
            ("framebuffer_reservaton", "framebuffer_reservation"),
            ("pci_devic_id", "pci_device_id"),
            ("vrm", "vram"),
        ] {
            assert_eq!(nearest(name, &Key::ALL.map(Key::name)), format!(": is {meant} meant?"));
        }
        let long = "x".repeat(1 << 20);
        for name in ["whatever", "sriov", "frl", "vgpu_name", "ecc_enabled", "x", "card", &long] {
            assert_eq!(nearest(name, &Key::ALL.map(Key::name)), "", "{name}");
        }
        assert_eq!(nearest("aa", &["ab", "ac", "bb"]), ": is ab or ac meant?");
    }

    #[test]
    fn slips_are_counted() {
        for (a, b, count) in
            [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("abc", "ca", 3), ("abcd", "acd", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (count, count), "{a} {b}");
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Packages and archives made up here, in the forms that NVIDIA's driver comes in.

use std::io::Write;

use super::*;

const ELF: &[u8] = b"\x7fELF";
const AR: &[u8] = b"!<arch>\n";

fn elf(machine: u16, tail: &str) -> Vec<u8> {
    let mut bytes = ELF.to_vec();
    bytes.resize(18, 0);
    bytes.extend(machine.to_le_bytes());
    bytes.extend(tail.as_bytes());
    bytes
}

fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn package(data_name: &str, data: &[u8]) -> Vec<u8> {
    let mut ar = ar::Builder::new(Vec::new());
    for (name, content) in [("debian-binary", b"2.0\n".as_slice()), (data_name, data)] {
        let header = ar::Header::new(name.into(), content.len() as u64);
        ar.append(&header, content).unwrap();
    }
    ar.into_inner().unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    object_file(file.path())
}

fn complaint(bytes: &[u8]) -> String {
    format!("{:#}", read_bytes(bytes).unwrap_err())
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lzma(bytes: &[u8]) -> Vec<u8> {
    let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
    let stream = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn a_package_gives_its_x86_64_blob_whatever_it_is_packed_with() {
    let wanted = elf(62, "wanted");
    let tar = tarball(&[
        ("./usr/src/x/nvidia/nv-kernel-arm64.o_binary", &elf(183, "arm64")),
        ("./usr/src/x/nvidia/nv-modeset-kernel.o_binary", &elf(62, "modeset")),
        ("./usr/src/x/nvidia/nv-kernel-amd64.o_binary", &wanted),
    ]);
    for (name, data) in [
        ("data.tar", tar.clone()),
        ("data.tar.xz", xz(&tar)),
        ("data.tar.zst", zstd(&tar)),
        ("data.tar.gz", gzip(&tar)),
    ] {
        assert_eq!(read_bytes(&package(name, &data)).unwrap(), wanted, "{name}");
    }
}

#[test]
fn a_package_for_another_machine_gives_what_it_has() {
    let arm = elf(183, "");
    let tar = tarball(&[("./usr/src/x/nvidia/nv-kernel.o_binary", &arm)]);
    assert_eq!(read_bytes(&package("data.tar", &tar)).unwrap(), arm);
}

#[test]
fn a_compressed_module_is_unpacked() {
    let module = elf(62, "module");
    for packed in [xz(&module), zstd(&module), gzip(&module), bzip2(&module), lzma(&module)] {
        assert_eq!(read_bytes(&packed).unwrap(), module);
    }
}

#[test]
fn what_holds_no_driver_is_refused_with_the_reason() {
    assert!(complaint(b"").ends_with("the file is empty"));
    assert!(complaint(b"#!/bin/sh\n").contains("neither an ELF object file"));
    assert!(complaint(&xz(b"#!/bin/sh\n")).contains("no ELF object file"));
    assert!(complaint(AR).contains("not a Debian package"));
    let without = tarball(&[("./usr/share/doc/copyright", b"text")]);
    assert!(complaint(&package("data.tar", &without)).contains("no nv-kernel*.o_binary"));
    assert!(complaint(&package("data.tar.lz", &without)).contains("data.tar.lz"));
}

#[test]
fn cut_off_files_are_refused_at_every_length() {
    let tar = tarball(&[("./nv-kernel.o_binary", &elf(62, &"x".repeat(2000)))]);
    let whole = package("data.tar.xz", &xz(&tar));
    // Any prefix ends in the middle of the blob's own compressed bytes, or before them.
    for len in 8..whole.len() / 2 {
        assert!(read_bytes(&whole[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn a_directory_and_a_missing_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    assert!(format!("{:#}", object_file(dir.path()).unwrap_err()).contains("directory"));
    let missing = dir.path().join("nvidia.ko");
    let complaint = format!("{:#}", object_file(&missing).unwrap_err());
    assert!(complaint.contains("nvidia.ko") && complaint.contains("No such file"));
}

/// An installer whose script has these lines before its end, with `archive` behind it.
fn run(lines: &[&str], archive: &[u8]) -> Vec<u8> {
    let mut file = b"#!/bin/sh\n".to_vec();
    for line in lines {
        file.extend(line.as_bytes());
        file.push(b'\n');
    }
    file.extend(archive);
    file
}

/// What a driver's installer holds.
fn installer_files() -> Vec<u8> {
    tarball(&[
        ("./nvidia-vgpud", &elf(62, "daemon")),
        ("./nvidia-vgpu-mgr", &elf(62, "manager")),
        ("./vgpuConfig.xml", b"<x/>"),
        ("./init-scripts/sysvinit/nvidia-vgpud", b"#!/bin/sh\n"),
        ("./kernel/nvidia/nv-kernel.o_binary", &elf(62, "closed")),
        ("./kernel/nvidia-vgpu-vfio/nvidia-vgpu-vfio.c", b"c"),
        ("./kernel-open/nvidia/nv-kernel.o_binary", &elf(62, "open")),
    ])
}

fn found(bytes: &[u8]) -> Contents {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    contents(file.path()).unwrap()
}

fn paths(files: &[Found]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

const INSIDE: [&str; 2] =
    ["kernel/nvidia/nv-kernel.o_binary", "kernel-open/nvidia/nv-kernel.o_binary"];

#[test]
fn an_installer_is_read_whatever_its_script_is_like() {
    let tar = installer_files();
    let packed = [tar.clone(), xz(&tar), zstd(&tar), gzip(&tar), bzip2(&tar), lzma(&tar)];
    // The archive begins in line 6, behind line 5. NVIDIA's script takes itself apart for a checksum,
    // too, and has a program in it that decompresses.
    let end = ["sum1=`tail -n +4 $0 | cksum`", "skip_decompress=5", "\u{1}BZh\0\u{2}"];
    for (generation, says) in [
        ("NVIDIA's", "skip=6"),
        ("2.0", "\ttail +6 \"$0\" | gzip -cd | UnTAR"),
        ("2.0, later", "\ttail -n +6 $0 | UnTAR"),
        ("2.1.1", "offset=`head -5 $0 | wc -c | tr -d \" \"`"),
        ("2.1 to 2.3", "offset=`head -n 5 \"$0\" | wc -c | tr -d \" \"`"),
        ("2.4", "skip=\"5\""),
    ] {
        for archive in &packed {
            let lines: Vec<_> = [says].into_iter().chain(end).collect();
            let found = found(&run(&lines, archive));
            assert_eq!(paths(&found.drivers), INSIDE, "{generation}");
            assert_eq!(found.drivers[0].bytes, elf(62, "closed"));
            assert_eq!(paths(&found.daemons), ["nvidia-vgpud"]);
            let of_host: Vec<_> = found.of_host.iter().copied().collect();
            assert_eq!(of_host, ["nvidia-vgpu-mgr", "nvidia-vgpu-vfio", "vgpuConfig.xml"]);
            assert!(found.is_package);
        }
    }
    for (says, len) in [("offset=100", 100), ("tail -c +101 \"$0\" | tar x", 100)] {
        let script = run(&[says], &[]);
        let padding = vec![b'#'; len - script.len()];
        let found = found(&[script, padding, zstd(&tar)].concat());
        assert_eq!(paths(&found.drivers), INSIDE, "{says}");
    }
}

#[test]
fn a_script_that_says_something_wrong_is_refused_with_what_it_says() {
    let tar = gzip(&installer_files());
    for (lines, said) in [
        (vec!["skip=9"], "an archive begins at line 9, but none does"),
        (vec!["skip=2"], "at line 2, but none does"),
        (vec!["skip=99999999999999999999"], "a script without an archive"),
        (vec!["", "", "", "skip=2"], "at line 2, but none does"),
        (vec!["offset=4"], "behind byte 4, but none does"),
        (vec!["offset=99999999"], "behind byte 99999999, but none does"),
        (vec!["head -n 3 \"$1\" | wc -c"], "a script without an archive"),
        (vec!["df -k $0 | tail -1"], "a script without an archive"),
    ] {
        let said_instead = complaint(&run(&lines, &tar));
        assert!(said_instead.contains(said), "{lines:?}: {said_instead}");
    }
}

/// A package with one empty header for its signatures, of a length that has to be padded, and one proper.
fn rpm(payload: &[u8]) -> Vec<u8> {
    let header = |entries: u32, data: u32| {
        let mut header = b"\x8e\xad\xe8\x01\0\0\0\0".to_vec();
        header.extend(entries.to_be_bytes());
        header.extend(data.to_be_bytes());
        header.extend(vec![0x55; (entries * 16 + data) as usize]);
        header
    };
    let mut package = b"\xed\xab\xee\xdb".to_vec();
    package.resize(96, 0);
    package.extend(header(2, 5));
    package.extend([0; 3]);
    package.extend(header(3, 7));
    package.extend(payload);
    package
}

fn cpio(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut archive = vec![];
    for (name, mode, content) in files.iter().chain([&("TRAILER!!!", 0, b"".as_slice())]) {
        let numbers =
            [1, *mode, 0, 0, 1, 0, content.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
        archive.extend(b"070701");
        numbers.iter().for_each(|number| archive.extend(format!("{number:08x}").bytes()));
        archive.extend(name.bytes().chain([0]));
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }
    archive
}

fn rpm_files() -> Vec<u8> {
    cpio(&[
        ("./usr/bin", 0o040_755, b""),
        ("./usr/bin/nvidia-vgpud", 0o100_755, &elf(62, "daemon")),
        ("./usr/bin/nvidia-vgpu-mgr", 0o120_777, b"a link"),
        ("./lib/modules/5.14/extra/nvidia.ko.xz", 0o100_644, &xz(&elf(62, "module"))),
        ("./lib/modules/5.14/extra/nvidia-vgpu-vfio.ko.xz", 0o100_644, b"abc"),
    ])
}

#[test]
fn an_rpm_package_is_read_whatever_it_is_packed_with() {
    let files = rpm_files();
    for payload in
        [files.clone(), xz(&files), zstd(&files), gzip(&files), bzip2(&files), lzma(&files)]
    {
        let found = found(&rpm(&payload));
        assert_eq!(paths(&found.drivers), ["lib/modules/5.14/extra/nvidia.ko.xz"]);
        assert_eq!(found.drivers[0].bytes, elf(62, "module"));
        assert_eq!(paths(&found.daemons), ["usr/bin/nvidia-vgpud"]);
        let of_host: Vec<_> = found.of_host.iter().copied().collect();
        assert_eq!(of_host, ["nvidia-vgpu-vfio"]);
    }
}

#[test]
fn a_damaged_rpm_package_is_refused() {
    let whole = rpm(&rpm_files());
    for len in 4..whole.len() - 130 {
        let said = complaint(&whole[..len]);
        assert!(
            ["cut off", "neither", "eof"].iter().any(|why| said.contains(why)),
            "{len}: {said}"
        );
    }
    let damaged = |at: usize| {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        complaint(&damaged)
    };
    assert!(damaged(97).contains("its signatures: are not where they must be"));
    // The highest byte of the count of entries.
    assert!(damaged(104).contains("the package is damaged"));
    let start = whole.len() - rpm_files().len();
    assert!(damaged(start + 20).contains("no number"), "{}", damaged(start + 20));
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    use zip::{CompressionMethod, write::SimpleFileOptions};
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (index, (path, content)) in files.iter().enumerate() {
        let method = [CompressionMethod::Deflated, CompressionMethod::Stored][index % 2];
        zip.start_file(*path, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_vgpu_package_gives_the_drivers_of_hosts() {
    let installer = run(&["skip=3"], &zstd(&installer_files()));
    let guest = run(&["skip=3"], &zstd(&tarball(&[("./nv-kernel.o_binary", &elf(62, "guest"))])));
    let deb = package("data.tar.xz", &xz(&tarball(&[("./nvidia.ko.zst", &zstd(&elf(62, "deb")))])));
    let zip = zip_of(&[
        ("550.144.02-550.144.03-553.62-grid-vgpu-user-guide.pdf", b"pdf"),
        ("Guest_Drivers/NVIDIA-Linux-x86_64-550.144.03-grid.run", &guest),
        ("Host_Drivers/NVIDIA-Linux-x86_64-550.144.02-vgpu-kvm.run", &installer),
        ("Host_Drivers/again.run", &installer),
        ("Host_Drivers/nvidia-vgpu-ubuntu-550_550.144.02_amd64.deb", &deb),
        ("Host_Drivers/nvidia-vgpu-rhel.rpm", &rpm(&zstd(&rpm_files()))),
    ]);
    let found = found(&zip);
    let run = "Host_Drivers/NVIDIA-Linux-x86_64-550.144.02-vgpu-kvm.run > ";
    assert_eq!(
        paths(&found.drivers),
        [
            format!("{run}{}", INSIDE[0]),
            format!("{run}{}", INSIDE[1]),
            "Host_Drivers/nvidia-vgpu-ubuntu-550_550.144.02_amd64.deb > nvidia.ko.zst".into(),
            "Host_Drivers/nvidia-vgpu-rhel.rpm > lib/modules/5.14/extra/nvidia.ko.xz".into(),
        ]
    );
    assert_eq!(paths(&found.daemons), [format!("{run}nvidia-vgpud")]);
}

#[test]
fn a_package_for_guests_is_told_apart() {
    let zip = zip_of(&[("Guest_Drivers/NVIDIA-Linux-x86_64-550.144.03-grid.run", b"#!/bin/sh\n")]);
    let said = complaint(&zip);
    assert!(said.contains("550.144.03-grid.run"), "{said}");
    assert!(said.contains("vgpu-kvm.run"), "{said}");
}

#[test]
fn a_directory_is_read_like_an_archive() {
    let dir = tempfile::tempdir().unwrap();
    tar::Archive::new(installer_files().as_slice()).unpack(dir.path()).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("kernel/itself")).unwrap();
    let found = contents(dir.path()).unwrap();
    assert_eq!(paths(&found.drivers), INSIDE);
    assert_eq!(paths(&found.daemons), ["nvidia-vgpud"]);
    assert_eq!(found.of_host.len(), 3);
    // An unpacked zip.
    let dir = tempfile::tempdir().unwrap();
    let run = run(&["skip=3"], &xz(&installer_files()));
    std::fs::write(dir.path().join("a.run"), run).unwrap();
    std::fs::write(dir.path().join("b.zip"), zip_of(&[("c/nvidia.ko", &elf(62, "zip"))])).unwrap();
    let found = contents(dir.path()).unwrap();
    let expected = [INSIDE[0], INSIDE[1]].map(|path| format!("a.run > {path}"));
    assert_eq!(paths(&found.drivers), [&expected[..], &["b.zip > c/nvidia.ko".into()]].concat());
}

#[test]
fn a_damaged_package_in_a_package_is_named() {
    let cut = run(&["skip=3"], &xz(&installer_files())[..200]);
    let zip = zip_of(&[("Host_Drivers/NVIDIA.run", &cut)]);
    let said = complaint(&zip);
    assert!(said.contains("Host_Drivers/NVIDIA.run: "), "{said}");
}

#[test]
fn layers_without_end_are_refused() {
    let mut packed = elf(62, "");
    for _ in 0..MAX_LAYERS + 2 {
        packed = zstd(&packed);
    }
    assert!(complaint(&packed).contains("more than 10 layers"));
}

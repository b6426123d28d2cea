#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the scripts that build for a kernel share. Sourced.

say() { echo "vgpu_unlock: $*" >&2; }

# --- The kernel, asked of its own files and never of its version number. Needs $headers, or $kernel_config
# where the configuration is not there.

config() { sed -n "s/^CONFIG_$1=//p" "${kernel_config:-$headers/.config}" | tr -d '"'; }
# The first name is today's, others are what older kernels call it.
has() {
	local name
	for name in "$@"; do
		if grep -q "^CONFIG_$name=[ym]" "${kernel_config:-$headers/.config}"; then return; fi
	done
	return 1
}

# --- The distribution's words.

manager() {
	local manager
	for manager in apt dnf pacman zypper; do
		if command -v "$manager" >/dev/null; then
			echo "$manager"
			return
		fi
	done
}

# Prints how to install what is asked for: rustc, gcc-12, make, headers, or the name of a program.
cure() {
	local release=$1 manager word words names=()
	shift
	manager=$(manager)
	for word in "$@"; do
		case $manager/$word in
		apt/headers) names+=("$(apt_headers "$release")") ;;
		apt/rustc)
			read -ra words < <(apt_rustc)
			names+=("${words[@]}")
			;;
		dnf/headers) names+=("kernel-devel-$release") ;;
		dnf/rustc | pacman/rustc) names+=(rust rust-src) ;;
		# One gcc, or one beside others with another name.
		dnf/gcc-* | pacman/gcc-*) names+=(gcc) ;;
		zypper/gcc-*) names+=("gcc${word#gcc-}") ;;
		dnf/libelf) names+=(elfutils-libelf-devel) ;;
		pacman/headers) names+=("$(pacman_headers "$release")") ;;
		pacman/libelf) names+=(libelf) ;;
		zypper/headers) names+=(kernel-default-devel) ;;
		zypper/rustc) names+=(rust cargo) ;;
		zypper/libelf) names+=(libelf-devel) ;;
		apt/libelf) names+=(libelf-dev) ;;
		*/headers) names+=("the headers of kernel $release") ;;
		*/rustc) names+=('rustc 1.78 or newer with its source') ;;
		*) names+=("$word") ;;
		esac
	done
	case $manager in
	apt | dnf | zypper) echo "$manager install ${names[*]}" ;;
	pacman) echo "pacman -S ${names[*]}" ;;
	*) echo "install ${names[*]}" ;;
	esac
}

# Prints how to install the headers once more.
cure_again() {
	local cure
	cure=$(cure "$1" headers)
	case $(manager) in
	apt) echo "${cure/install/install --reinstall}" ;;
	dnf) echo "${cure/install/reinstall}" ;;
	zypper) echo "${cure/install/install --force}" ;;
	*) echo "$cure" ;;
	esac
}

# Proxmox had names of its own, and then others.
apt_headers() {
	case $1 in
	*-pve)
		if apt-cache show "pve-headers-$1" >/dev/null 2>&1; then
			echo "pve-headers-$1"
		else
			echo "proxmox-headers-$1"
		fi
		;;
	*) echo "linux-headers-$1" ;;
	esac
}

# The compiler of that name, where it is new enough; Debian 11 and 12 have a newer one for browsers, Ubuntu
# several side by side.
apt_rustc() {
	local name policy
	for name in rustc rustc-web rustc-1.8{5,4,3,2,1,0,9}; do
		# No pipe: apt-cache that is not listened to any more would count as a failure.
		policy=$(apt-cache policy "$name" 2>/dev/null)
		# Versions are 1.NN.
		if grep -qE 'Candidate: 1\.(7[89]|[89][0-9]|[1-9][0-9]{2})' <<<"$policy"; then
			case $name in
			rustc) echo rustc rust-src ;;
			rustc-web) echo rustc-web rust-web-src ;;
			*) echo "$name" "rust-${name#rustc-}-src" ;;
			esac
			return
		fi
	done
	echo rustc rust-src
}

# Arch's kernels are told apart by what their release ends in.
pacman_headers() {
	case $1 in
	*-lts) echo linux-lts-headers ;;
	*-zen*) echo linux-zen-headers ;;
	*-hardened*) echo linux-hardened-headers ;;
	*) echo linux-headers ;;
	esac
}

# --- Compilers.

# Prints a version's second number: 85 of "rustc 1.85.1 (...)".
rustc_minor() { "$1" --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p'; }

# The source of core that belongs to a rustc.
core_source() { echo "$("$1" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/core"; }

# Whether a rustc can build core: it is new enough, and its source is there.
usable_rustc() {
	local minor
	minor=$(rustc_minor "$1")
	[ -n "$minor" ] && [ "$minor" -ge 78 ] && [ -f "$(core_source "$1")/src/lib.rs" ]
}

# All that there may be: the distribution's own first, for a newer one of rustup's comes first in many an
# administrator's PATH.
rustcs() {
	local rustc
	for rustc in "${RUSTC:-}" /usr/bin/rustc /usr/bin/rustc-1.* "$(command -v rustc || true)" \
		/root/.cargo/bin/rustc; do
		if [ -n "$rustc" ] && [ -x "$rustc" ]; then echo "$rustc"; fi
	done
}

# The first that can build core; nothing where none can.
find_rustc() {
	local rustc
	for rustc in $(rustcs); do
		if usable_rustc "$rustc"; then
			echo "$rustc"
			return
		fi
	done
}

# The kernel's own compiler by the name in its configuration, or one like it; nothing where there is none.
# kbuild itself warns where the version differs.
find_cc() {
	local name major
	if has CC_IS_CLANG; then
		for name in clang "clang-$(($(config CLANG_VERSION) / 10000))"; do
			if command -v "$name" >/dev/null; then
				echo "$name"
				return
			fi
		done
		return
	fi
	major=$(($(config GCC_VERSION) / 10000))
	for name in "$(config CC_VERSION_TEXT | cut -d' ' -f1)" "gcc-$major" gcc \
		gcc-{16,15,14,13,12,11,10}; do
		# An older one may not know the flags of the kernel's.
		if command -v "$name" >/dev/null &&
			[ "$("$name" -dumpversion 2>/dev/null | cut -d. -f1)" -ge "$major" ] 2>/dev/null; then
			echo "$name"
			return
		fi
	done
}

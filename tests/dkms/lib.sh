#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the parts of tests/dkms/checks share. Sourced; needs $system and $repo.
# shellcheck disable=SC2034,SC2154 # others use them, and set those two

log=/tmp/output
cache=/var/cache/vgpu-unlock
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$repo/dkms.conf")
package=vgpu_unlock/$version
# The kernel that comes with the system.
releases=(/lib/modules/*)
release=${releases[0]##*/}
headers=$(realpath "/lib/modules/$release/build")
case $system in
debian-12) rust='rustc-web rust-web-src' ;;
*) rust='rustc rust-src' ;;
esac

note() { echo "note $system: $*"; }

# check NAME COMMAND...: the command's output is the reason where it fails.
check() {
	local name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok $system: $name"
	else
		local said
		said=$(tail -n 25 "$log" | tr '\n' '|')
		echo "not ok $system: $name:: ${said:-it said nothing}"
	fi
}

# A check that is shown with the time it took.
timed() {
	local name=$1 start=$EPOCHREALTIME
	shift
	note "$name"
	check "$name" "$@"
	awk -v name="$system: $name" -v a="$start" -v b="$EPOCHREALTIME" \
		'BEGIN { printf "show %s: %.0f s\n", name, b - a }'
}

# expect STATUS LINE COMMAND...: its exit status is that, `bad` being any but 0, and it says the line once.
expect() {
	local wanted=$1 line=$2 status=0 said
	shift 2
	said=$("$@" 2>&1) || status=$?
	echo "$said"
	case $wanted/$status in
	bad/0) echo "no failure" && return 1 ;;
	bad/*) ;;
	*) [ "$status" = "$wanted" ] || { echo "exit status $status instead of $wanted" && return 1; } ;;
	esac
	[ "$(grep -cxF "vgpu_unlock: $line" <<<"$said")" = 1 ] || { echo "not said once: $line" && return 1; }
}

# --- our module

is_installed() {
	local file
	file=$(modinfo -k "$1" -n vgpu_unlock) && [ -s "$file" ] &&
		[ "$(dirname "$file")" -ef "/lib/modules/$1/updates/dkms" ] &&
		[ "$(modinfo -k "$1" -F license vgpu_unlock)" = GPL ] &&
		modinfo -k "$1" -F vermagic vgpu_unlock | grep -F "$1 SMP" &&
		dkms status -k "$1" "$package" | grep ': installed$'
}
is_not_installed() { ! modinfo -k "$1" -n vgpu_unlock; }
built_log() { cat "/var/lib/dkms/$package/$1"/*/log/make.log; }
unbuild() { dkms unbuild "$package" -k "$1" >/dev/null 2>&1 || true; }

# A preparation that has to build core says so, and is killed in the middle of that.
builds_core() {
	local said=/tmp/said pid i status=1
	setsid "$repo/scripts/prepare-runtime" "$release" "$cache" >"$said" 2>&1 &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		if grep -qF "vgpu_unlock: building core with " "$said"; then
			status=0
			sleep 1
			break
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL -- -"$pid"
	wait "$pid"
	cat "$said"
	return "$status"
}

# --- another module, which shows that what becomes of ours is nothing to others

add_other() {
	mkdir -p /usr/src/other-1
	cat >/usr/src/other-1/dkms.conf <<-'EOF'
		PACKAGE_NAME="other"
		PACKAGE_VERSION="1"
		BUILT_MODULE_NAME[0]="other"
		DEST_MODULE_LOCATION[0]="/updates/dkms"
		MAKE[0]="make -C $kernel_source_dir M=$dkms_tree/other/1/build modules"
		CLEAN="true"
		AUTOINSTALL="yes"
	EOF
	echo 'obj-m := other.o' >/usr/src/other-1/Kbuild
	cat >/usr/src/other-1/other.c <<-'EOF'
		#include <linux/module.h>
		MODULE_LICENSE("GPL");
		MODULE_DESCRIPTION("nothing");
	EOF
	dkms add other/1
}
other_is_installed() { modinfo -k "$1" -n other; }
unbuild_other() { dkms unbuild other/1 -k "$1" >/dev/null 2>&1 || true; }

# --- situations

# without FILE... -- COMMAND...: the files are not there meanwhile.
without() {
	local files=() file status=0
	while [ "$1" != -- ]; do
		files+=("$1")
		shift
	done
	shift
	for file in "${files[@]}"; do mv "$file" "$file.hidden"; done
	"$@" || status=$?
	for file in "${files[@]}"; do mv "$file.hidden" "$file"; done
	return "$status"
}

# changed FILE PROGRAM COMMAND...: sed has changed the file meanwhile.
changed() {
	local file=$1 program=$2 status=0
	shift 2
	cp -p "$file" "$file.hidden"
	sed -i "$program" "$file"
	"$@" || status=$?
	mv "$file.hidden" "$file"
	return "$status"
}

# A kernel with the headers of the system's own, and another release.
like_ours() {
	local to=/usr/src/linux-headers-$1
	cp -a "$headers" "$to"
	renamed "$1" "$to"
	with_modules "$1"
	ln -s "$to" "/lib/modules/$1/build"
}

# Modules of a release, as if its image was installed: the system's own ones.
with_modules() {
	mkdir -p "/lib/modules/$1"
	cp -a "/lib/modules/${releases[0]##*/}"/{kernel,modules.*} "/lib/modules/$1/"
}

# Headers of a release whose directory they lie in.
renamed() {
	echo "$1" >"$2/include/config/kernel.release"
	echo "#define UTS_RELEASE \"$1\"" >"$2/include/generated/utsrelease.h"
}

gone() {
	dkms unbuild other/1 -k "$1" >/dev/null 2>&1 || true
	unbuild "$1"
	rm -rf "/lib/modules/$1" "/usr/src/linux-headers-$1"
}

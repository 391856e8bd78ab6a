#!/bin/sh
# Called by cargo in place of the compiler, for our own crates only: adds what libFuzzer needs of it
# (counters of edges, compared values; no address sanitizer), and makes what wraps around or is cut off
# a finding.
exec "$@" --cfg=fuzzing \
    -Cdebug-assertions=yes -Coverflow-checks=yes \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0

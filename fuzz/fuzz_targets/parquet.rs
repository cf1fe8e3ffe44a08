#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = lakesmith::fuzzing::parquet(bytes) {
        panic!("{broken}");
    }
});

//! Which instruction set the kernels use: chosen once at run time, or forced by name.

use std::fmt;

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Plain Rust without fused multiply-add: the same bits on every processor.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, DQ, VL and FMA.
    Avx512,
    /// AArch64 with NEON.
    Neon,
}

/// A kernel name that is not known or that this processor cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kernel {name:?} cannot be used here: expected one of {available}")]
pub struct UnknownKernel {
    /// The name that was asked for.
    pub name: String,
    /// The names that work on this processor.
    pub available: String,
}

impl Kernel {
    /// The fastest kernel that this processor runs.
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::Portable)
    }

    /// Every kernel that this processor runs, slowest first; never empty.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut found = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("fma") && is_x86_feature_detected!("popcnt");
            if fma && is_x86_feature_detected!("avx2") {
                found.push(Self::Avx2);
            }
            if fma
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                found.push(Self::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self::Neon);
        found
    }

    /// The kernel called `name`, or the fastest one for `"auto"`.
    pub fn parse(name: &str) -> Result<Self, UnknownKernel> {
        let available = Self::available();
        if name == "auto" {
            return Ok(Self::detect());
        }
        available.iter().copied().find(|kernel| kernel.name() == name).ok_or_else(|| UnknownKernel {
            name: name.to_owned(),
            available: std::iter::once("auto")
                .chain(available.iter().map(|kernel| kernel.name()))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// The name that stands in the provenance.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_kernel_is_found_by_its_name() {
        for kernel in Kernel::available() {
            assert_eq!(Kernel::parse(kernel.name()), Ok(kernel));
        }
        assert_eq!(Kernel::parse("auto"), Ok(Kernel::detect()));
    }

    #[test]
    fn an_unknown_name_lists_what_works() {
        let Err(error) = Kernel::parse("mmx") else { panic!("mmx is no kernel of ours") };
        assert!(error.to_string().contains("portable"), "{error}");
    }
}

//! photovault-failures

//! photovault-validate

//! photovault-local

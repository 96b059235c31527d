//! photovault-dispatch

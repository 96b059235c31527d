//! photovault-notify

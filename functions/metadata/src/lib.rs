//! photovault-metadata

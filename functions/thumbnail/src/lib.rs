//! photovault-thumbnail

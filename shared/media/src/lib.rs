//! photovault-media

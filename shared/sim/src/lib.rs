//! photovault-sim

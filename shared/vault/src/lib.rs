//! photovault-vault

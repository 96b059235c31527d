//! photovault-aws

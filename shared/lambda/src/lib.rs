//! photovault-lambda

//! A relay that lies.

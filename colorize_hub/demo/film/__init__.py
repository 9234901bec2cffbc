"""The Film tab: a visitor's film in colour."""

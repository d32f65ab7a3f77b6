// What follows a header that is included alone.

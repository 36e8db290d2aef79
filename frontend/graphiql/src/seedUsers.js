/** The people whom every installation starts with, one for each role. They share one password. */
export const SEED_USERS = [
  { email: 'admin@learnwithroko.com', fullName: 'Ada Admin', role: 'SUPER_ADMIN' },
  { email: 'instructor@learnwithroko.com', fullName: 'John Instructor', role: 'INSTRUCTOR' },
  { email: 'learner@learnwithroko.com', fullName: 'Jane Learner', role: 'LEARNER' },
];

// In the page's memory alone, and gone with a reload: never in the browser's storage.
let password = '';

export function rememberedPassword() {
  return password;
}

/** Keeps what opened a seed user, for the other two; drops what opens it no longer. Others' passwords are not kept. */
export function learnPassword(email, typed, opens) {
  if (!SEED_USERS.some((user) => user.email === email.trim().toLowerCase())) return;
  if (opens) password = typed;
  else if (password === typed) password = '';
}
